import { expect, test } from 'vitest';
import { emptyView, takeFleetEntry } from '../../../src/controller/fleet/view.ts';

const entry = (key: string, value: unknown, revision: number) => ({
  key,
  value,
  revision,
  createdAt: 0,
});

test.for([
  ['edits', { paused: false, by: 'web2' }, { paused: true, by: 'web1' }],
  [
    'maintenance',
    { page: null, by: 'web2' },
    { page: { message: null, allow: [], since: '' }, by: 'web1' },
  ],
] as const)(
  'what this machine has said of %s is not undone by the news of the word before',
  ([key, before, own]) => {
    const view = emptyView();
    takeFleetEntry(view, entry(key, own, 7));
    takeFleetEntry(view, entry(key, before, 6));
    expect(view[key]).toEqual({ value: own, revision: 7 });
    takeFleetEntry(view, entry(key, before, 8));
    expect(view[key]).toEqual({ value: before, revision: 8 });
  },
);

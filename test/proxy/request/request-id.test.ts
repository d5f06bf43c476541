import { expect, test } from 'vitest';
import { createRequestIds } from '../../../src/proxy/request/request-id.ts';

test('ids are unique within a worker and over workers, and safe in a header, a log and a URL', () => {
  const ids = [createRequestIds(), createRequestIds()].flatMap((next) =>
    Array.from({ length: 2000 }, next),
  );
  expect(new Set(ids).size).toBe(4000);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{16}-[0-9a-z]+$/);
});

test('ids of one worker share their beginning, so that a log can be read by it', () => {
  const next = createRequestIds();
  expect(next().split('-')[0]).toBe(next().split('-')[0]);
});

import { expect, test } from 'vitest';
import type { RegisteredSite, Registration } from '../../src/config/registered-site.ts';
import { changes } from '../../src/front/changes.ts';

const site = (name: string, over: Partial<RegisteredSite> = {}): RegisteredSite => ({
  name,
  root: `/srv/${name}`,
  hosts: [`${name}.test`],
  since: '2026-01-01T00:00:00.000Z',
  config: {} as RegisteredSite['config'],
  ...over,
});
const registered = (one: RegisteredSite): Registration => ({ name: one.name, site: one });

test('a new file adds its site, a missing one removes it, and others stay', () => {
  const [a, b, c] = [site('a'), site('b'), site('c')];
  expect(changes([a, b], [registered(b), registered(c)])).toEqual({
    add: [c],
    remove: ['a'],
    rehost: [],
  });
});

test('a file that cannot be read takes no site away', () => {
  const found: Registration[] = [{ name: 'a', site: null, why: 'broken', isGone: false }];
  expect(changes([site('a')], found)).toEqual({ add: [], remove: [], rehost: [] });
});

test('a site whose folder is gone is removed', () => {
  const found: Registration[] = [{ name: 'a', site: null, why: 'gone', isGone: true }];
  expect(changes([site('a')], found).remove).toEqual(['a']);
});

test('other hosts of the same registration keep what is open', () => {
  const next = site('a', { hosts: ['new.test'] });
  expect(changes([site('a')], [registered(next)])).toEqual({ add: [], remove: [], rehost: [next] });
});

test('a site that was started anew replaces itself', () => {
  const next = site('a', { since: '2026-01-02T00:00:00.000Z' });
  expect(changes([site('a')], [registered(next)])).toEqual({
    add: [next],
    remove: ['a'],
    rehost: [],
  });
});

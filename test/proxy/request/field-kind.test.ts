import { expect, test } from 'vitest';
import { fieldKind } from '../../../src/proxy/request/field-kind.ts';

test.each([
  ['Transfer-Encoding', 'hop-by-hop'],
  ['kEEP-aLIVE', 'hop-by-hop'],
  ['HOST', 'host'],
  ['X-Forwarded-Anything', 'ours'],
  ['X-Request-Id', 'ours'],
  ['X-Slots-Release', 'release'],
  ['Forwarded-For', 'end-to-end'],
  ['content-length', 'end-to-end'],
])('knows %s, the second time too', (name, kind) => {
  expect(fieldKind(name)).toBe(kind);
  expect(fieldKind(name)).toBe(kind);
});

test('knows a name that comes after more made-up ones than are remembered', () => {
  for (let i = 0; i < 2000; i++) expect(fieldKind(`X-Made-Up-${i}`)).toBe('end-to-end');
  expect(fieldKind('x-FORWARDED-for')).toBe('ours');
  expect(fieldKind('PROXY-connection')).toBe('hop-by-hop');
});

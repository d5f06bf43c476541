import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Peer,
  toSlotFields,
  toTrailers,
  toVisitorFields,
} from '../../../src/proxy/request/fields.ts';

const STRANGER: Peer = { address: '203.0.113.9', encrypted: false, trusted: false };
const FRIEND: Peer = { address: '2001:db8::1', encrypted: true, trusted: true };

const NEVER = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
];
const FORWARDING = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-request-id'];

const anyCase = (name: string) =>
  fc
    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
    .map((up) => [...name].map((c, i) => (up[i] ? c.toUpperCase() : c)).join(''));

const anyName = fc
  .constantFrom(
    ...NEVER,
    ...FORWARDING,
    'forwarded',
    'x-real-ip',
    'x-forwarded-port',
    'expect',
    'x-slots-probe',
    'x-slots-release',
    'cookie',
    'set-cookie',
    'content-type',
    'x-named',
    'x-other',
    'trailer',
  )
  .chain(anyCase);
const anyFields = fc
  .array(fc.tuple(anyName, fc.constantFrom('', 'evil', 'a, b', 'close', 'chunked')), {
    maxLength: 20,
  })
  .map((fields) => fields.flat());
const anyConnection = fc.option(
  fc.array(anyName, { maxLength: 4 }).map((names) => names.join(' ,')),
  { nil: undefined },
);

/** The fields of a list whose names, in lower case, are such. */
function select(raw: readonly string[], wanted: (name: string) => boolean): string[] {
  return raw.flatMap((word, i) =>
    i % 2 === 0 && wanted(word.toLowerCase()) ? [word, raw[i + 1] as string] : [],
  );
}

function namedIn(connection: string | undefined): string[] {
  return (connection ?? '').toLowerCase().split(' ,');
}

const toSlot = (raw: string[], connection: string | undefined, peer: Peer) =>
  toSlotFields(raw, connection, 'site.test', peer, 'id-1') as string[];

test('to the site: nothing hop-by-hop, named in Connection or ours to set gets through from a stranger', () => {
  fc.assert(
    fc.property(anyFields, anyConnection, (raw, connection) => {
      const out = toSlot(raw, connection, STRANGER);
      const ours = ['host', ...FORWARDING];
      const dropped = [...NEVER, ...namedIn(connection)].filter((name) => !ours.includes(name));
      expect(select(out, (name) => dropped.includes(name))).toEqual([]);
      expect(select(out, (name) => name.startsWith('x-forwarded-'))).toEqual([
        'X-Forwarded-For',
        '203.0.113.9',
        'X-Forwarded-Proto',
        'http',
        'X-Forwarded-Host',
        'site.test',
      ]);
      const forged = ['forwarded', 'x-real-ip', 'x-slots-probe', 'expect'];
      expect(select(out, (name) => forged.includes(name))).toEqual([]);
      expect(select(out, (name) => name === 'x-request-id')).toEqual(['X-Request-Id', 'id-1']);
    }),
  );
});

test('to the site: everything else comes through in order and case, whoever sends it', () => {
  fc.assert(
    fc.property(anyFields, anyConnection, fc.boolean(), (raw, connection, trusted) => {
      const out = toSlot(raw, connection, trusted ? FRIEND : STRANGER);
      const free = ['cookie', 'set-cookie', 'content-type', 'trailer', 'x-named', 'x-other'];
      const kept = (name: string) => free.includes(name) && !namedIn(connection).includes(name);
      expect(select(out, kept)).toEqual(select(raw, kept));
    }),
  );
});

test('to the site: nothing hop-by-hop gets through from a trusted peer either', () => {
  fc.assert(
    fc.property(anyFields, anyConnection, (raw, connection) => {
      const out = toSlot(raw, connection, FRIEND);
      expect(select(out, (name) => NEVER.includes(name))).toEqual([]);
      expect(select(out, (name) => name === 'x-slots-probe')).toEqual([]);
      const [, list = ''] = select(out, (name) => name === 'x-forwarded-for');
      expect(list.endsWith('2001:db8::1')).toBe(true);
    }),
  );
});

test('to the site: Host comes first, and there is one', () => {
  expect(toSlot(['X-A', '1', 'hOST', 'ignored'], undefined, STRANGER).slice(0, 4)).toEqual([
    'Host',
    'site.test',
    'X-A',
    '1',
  ]);
  expect(toSlot(['Host', 'a', 'host', 'a'], undefined, STRANGER)).toBeNull();
});

test('to the site: an IPv6 address stands in brackets and quotes in Forwarded', () => {
  const out = toSlot(['Forwarded', 'for=1.2.3.4'], undefined, FRIEND);
  expect(out.slice(-2)).toEqual(['Forwarded', 'for=1.2.3.4, for="[2001:db8::1]"']);
});

test('to the site: the length of a body stays, whatever Connection says', () => {
  const out = toSlot(['Content-Length', '5'], 'content-length', STRANGER);
  expect(out).toContain('Content-Length');
});

test('to the visitor: nothing hop-by-hop or named in Connection gets through, the rest in order', () => {
  fc.assert(
    fc.property(anyFields, anyConnection, fc.boolean(), (raw, connection, exposed) => {
      const out = toVisitorFields(raw, connection, exposed ? 'r1' : null);
      const dropped = [...NEVER, ...namedIn(connection), 'x-slots-release'];
      const kept = select(raw, (name) => !dropped.includes(name));
      expect(out).toEqual([...kept, ...(exposed ? ['x-slots-release', 'r1'] : [])]);
    }),
  );
});

test('to the visitor: several Connection fields count together', () => {
  const raw = ['X-Named', '1', 'X-Other', '2', 'X-Kept', '3'];
  expect(toVisitorFields(raw, ['close, x-named', 'X-OTHER'], null)).toEqual(['X-Kept', '3']);
});

test('trailers are free of all that only a head may say', () => {
  fc.assert(
    fc.property(anyFields, (raw) => {
      const free = ['cookie', 'set-cookie', 'content-type', 'x-named', 'x-other'];
      const kept = select(raw, (name) => free.includes(name));
      expect(toTrailers([...raw, 'Host', 'evil', 'Content-Length', '1']).flat()).toEqual(kept);
    }),
  );
});

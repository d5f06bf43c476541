import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isAuthority, parseTarget } from '../../../src/proxy/request/target.ts';

/** What Node's parser lets through in a target. */
const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
const anyText = fc.array(visible, { maxLength: 30 }).map((letters) => letters.join(''));

test('an origin form is never changed', () => {
  fc.assert(
    fc.property(anyText, (rest) => {
      expect(parseTarget('GET', `/${rest}`)).toEqual({ path: `/${rest}`, host: null });
    }),
  );
});

test('whatever comes, the site gets a path, and a host that is one', () => {
  fc.assert(
    fc.property(fc.constantFrom('', 'http://', 'https://', 'HTTP://'), anyText, (scheme, rest) => {
      const target = parseTarget('GET', scheme + rest);
      if (target === null) return;
      expect(target.path.startsWith('/')).toBe(true);
      expect(target.path).toMatch(/^[\x21-\x7e]+$/);
      if (target.host !== null) {
        expect(target.host).not.toMatch(/[/?#@\\\s]/);
        expect(scheme + rest).toContain(target.host);
      }
    }),
  );
});

test('an absolute form keeps its path and query byte for byte', () => {
  fc.assert(
    fc.property(anyText, (rest) => {
      expect(parseTarget('GET', `http://a.test:80/${rest}`)).toEqual({
        path: `/${rest}`,
        host: 'a.test:80',
      });
    }),
  );
});

test('* is for OPTIONS only', () => {
  expect(parseTarget('OPTIONS', '*')).toEqual({ path: '*', host: null });
  expect(parseTarget('GET', '*')).toBeNull();
});

test.for(['a', 'a.test', 'a.test:1', 'a_b-c~1', '1.2.3.4:65535', '[::1]', '[2001:db8::1]:80'])(
  'an authority: %s is one',
  (host) => expect(isAuthority(host)).toBe(true),
);

test.for([
  '',
  ':80',
  'a:',
  'a:x',
  'a:65536',
  'a:123456',
  'a b',
  'a/b',
  'a\\b',
  'a@b',
  'a?b',
  'a#b',
  'a,b/c',
  '[::1',
  '::1',
  '[x]',
  '[]',
  'a\tb',
  'caf\xe9',
])('an authority: %j is none', (host) => expect(isAuthority(host)).toBe(false));

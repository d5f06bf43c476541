import { expect, test } from 'vitest';
import { toVisitorAddress, visitorAddress } from '../../../src/proxy/request/own-address.ts';

const PORT = 4322;
const visitor = () => ({ scheme: 'https', authority: 'example.com' });

test.each([
  ['http://localhost:4322/a?b#c', 'https://example.com/a?b#c'],
  ['http://127.0.0.1:4322', 'https://example.com'],
  ['https://[::1]:4322/', 'https://example.com/'],
  ['http://0.0.0.0:4322?q', 'https://example.com?q'],
  ['HTTP://LOCALHOST:4322/a', 'https://example.com/a'],
  ['//localhost:4322/a', '//example.com/a'],
  ['5; url=http://localhost:4322/a', '5; url=https://example.com/a'],
  [`0;URL='http://localhost:4322/a'`, `0;URL='https://example.com/a'`],
])('the slot\'s own address in "%s" becomes the one that the visitor asked for', (value, right) => {
  expect(toVisitorAddress(value, PORT, visitor)).toBe(right);
});

test.each([
  '/a',
  '5',
  'http://localhost:4323/a',
  'http://localhost:43220/a',
  'http://localhost/a',
  'http://localhost:4322.evil.example/',
  'http://localhost:4322@evil.example/',
  'http://example.org:4322/a',
  'https://example.org/?next=http://localhost:4322/',
])('"%s", which is not the slot\'s own address, goes to the visitor as it is', (value) => {
  expect(toVisitorAddress(value, PORT, visitor)).toBe(value);
});

test("the visitor's address is the one in the forwarding fields that the proxy has set", () => {
  const head = [
    'GET / HTTP/1.1',
    'Host: evil.example',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: example.com',
    'connection: keep-alive',
    '',
    '',
  ].join('\r\n');
  expect(visitorAddress(head)).toEqual({ scheme: 'https', authority: 'example.com' });
  expect(visitorAddress(head.replace(': https', ': gopher'))).toBeNull();
  expect(visitorAddress('GET / HTTP/1.1\r\n\r\n')).toBeNull();
});

import { expect, test } from 'vitest';
import { InvalidRequest, requestHead } from '../../../src/proxy/slot/request-head.ts';

test('is the request line and the fields, as they are, and asks to keep the connection', () => {
  const fields = ['Host', 'a.test', 'X-b', '\xe9\t', 'X-B', ''];
  expect(requestHead('GET', '/a%20b//?q=\xff', fields)).toBe(
    'GET /a%20b//?q=\xff HTTP/1.1\r\nHost: a.test\r\nX-b: \xe9\t\r\nX-B: \r\nconnection: keep-alive\r\n\r\n',
  );
});

test.each(['\r', '\n', '\0', '\x7f', '\u010a', '\u020d', '😀'])('sends no %j', (character) => {
  expect(() => requestHead('GET', '/', ['A', `b${character}c`])).toThrow(InvalidRequest);
  expect(() => requestHead('GET', `/${character}`, [])).toThrow(InvalidRequest);
  expect(() => requestHead(`GE${character}T`, '/', [])).toThrow(InvalidRequest);
});

test('sends no path or method with a space', () => {
  expect(() => requestHead('GET', '/ HTTP/1.1', [])).toThrow(InvalidRequest);
  expect(() => requestHead('GET /', '/', [])).toThrow(InvalidRequest);
});

import { expect, test } from 'vitest';
import { BadAnswer, parseAnswerHead } from '../../../src/proxy/slot/answer-head.ts';

const parse = (...lines: string[]) => parseAnswerHead([...lines, '', ''].join('\r\n'));

test('is a status, a reason, and the fields in order, as they were written', () => {
  const head = parse('HTTP/1.1 404 Not Found', 'X-b: 2', 'Set-Cookie: a', 'set-cookie: b', 'X-B:1');
  expect(head).toMatchObject({ status: 404, reason: 'Not Found', isHttp10: false });
  expect(head.fields).toEqual(['X-b', '2', 'Set-Cookie', 'a', 'set-cookie', 'b', 'X-B', '1']);
});

test.each([
  ['HTTP/1.1 200 OK', 200, 'OK'],
  ['HTTP/1.1 200 ', 200, ''],
  ['HTTP/1.1 200', 200, ''],
  ['HTTP/1.0 503 Caf\xe9 closed: sorry', 503, 'Caf\xe9 closed: sorry'],
  ['HTTP/1.1 999 Odd', 999, 'Odd'],
])('%j is a status line', (line, status, reason) => {
  expect(parse(line)).toMatchObject({ status, reason, fields: [] });
});

test.each([
  '',
  'HTTP/2 200 OK',
  'HTTP/1.2 200 OK',
  'http/1.1 200 OK',
  'HTTP/1.1 20 OK',
  'HTTP/1.1 2000 OK',
  'HTTP/1.1 099 OK',
  'HTTP/1.1  200 OK',
  'HTTP/1.1 200\tOK',
  'HTTP/1.1 +20 OK',
  'HTTP/1.1 200 O\0K',
  'HTTP/1.1 200 O\nK',
  ' HTTP/1.1 200 OK',
])('%j is no status line', (line) => {
  expect(() => parse(line)).toThrow(BadAnswer);
});

test.each([
  ['white space around it', 'A: \t b \t', 'b'],
  ['white space alone', 'A: \t ', ''],
  ['nothing', 'A:', ''],
  ['white space inside', 'A: b \t c', 'b \t c'],
  ['colons', 'A::b:c', ':b:c'],
  ['bytes over 127', 'A: \x80\xff', '\x80\xff'],
])('a value with %s is %j', (_what, line, value) => {
  expect(parse('HTTP/1.1 200 OK', line).fields).toEqual(['A', value]);
});

test.each([
  'A',
  ': b',
  'A : b',
  'A b: c',
  'A: b\0',
  'A: b\x7f',
  'A: b\nC: d',
  'A: b\rC: d',
  'A\x80: b',
  ' A: b',
  // RFC 9112 §5.2: a folded line.
  'A: b\r\n c',
  'A: b\r\n\tc',
])('%j is no field', (line) => {
  expect(() => parse('HTTP/1.1 200 OK', line)).toThrow(BadAnswer);
});

test('a bare line feed ends no line', () => {
  expect(() => parseAnswerHead('HTTP/1.1 200 OK\nA: b\r\n\r\n')).toThrow(BadAnswer);
});

test('the fields that it knows are found in any case, and joined when there are several', () => {
  const { known } = parse(
    'HTTP/1.1 200 OK',
    'CONNECTION: close',
    'connection: X-Own',
    'Content-type: text/html',
    'content-length: 1',
    'Content-Length: 2',
    'Trailer: X-Sum',
    'Transfer-Encoding: gzip',
    'transfer-encoding: chunked',
    'Keep-Alive: timeout=5',
  );
  expect(known).toEqual({
    connection: 'close, X-Own',
    'content-type': 'text/html',
    'content-length': '1, 2',
    trailer: 'X-Sum',
    'transfer-encoding': 'gzip, chunked',
    'keep-alive': 'timeout=5',
  });
});

test('the fields that it knows are not taken for others of the same length', () => {
  const { known } = parse('HTTP/1.1 200 OK', 'X-Twelve-Len: 1', 'valueOf: 2', 'X-Fourteen-Len: 3');
  expect(Object.values(known)).toEqual(new Array(6).fill(undefined));
});

test('the longest head is read in time that grows with its length only', () => {
  const field = `${'a'.repeat(4000)}: ${': '.repeat(2000)}`;
  const head = parse('HTTP/1.1 200 OK', field, field);
  expect(head.fields).toHaveLength(4);
  expect(() => parse('HTTP/1.1 200 OK', field, `${field}\0`)).toThrow(BadAnswer);
});

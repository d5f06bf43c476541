import { expect, test } from 'vitest';
import {
  bodyLength,
  CHUNKED,
  mayKeepAlive,
  UNTIL_CLOSE,
} from '../../../src/proxy/slot/answer-framing.ts';
import { BadAnswer, parseAnswerHead } from '../../../src/proxy/slot/answer-head.ts';

const head = (line: string, ...fields: string[]) =>
  parseAnswerHead([line, ...fields, '', ''].join('\r\n'));
const ok = (...fields: string[]) => head('HTTP/1.1 200 OK', ...fields);

test.each([
  ['a length', ok('Content-Length: 42'), 'GET', 42],
  ['a length of 0', ok('Content-Length: 0'), 'GET', 0],
  ['chunks', ok('Transfer-Encoding: Chunked'), 'GET', CHUNKED],
  ['neither', ok(), 'GET', UNTIL_CLOSE],
  ['HEAD', ok('Content-Length: 42'), 'HEAD', 0],
  ['HEAD and chunks', ok('Transfer-Encoding: chunked'), 'HEAD', 0],
  ['204', head('HTTP/1.1 204 No Content'), 'GET', 0],
  ['304', head('HTTP/1.1 304 Not Modified', 'Content-Length: 42'), 'GET', 0],
  ['103', head('HTTP/1.1 103 Early Hints'), 'GET', 0],
] as const)('an answer with %s', (_what, answer, method, length) => {
  expect(bodyLength(answer, method)).toBe(length);
});

test.each([
  [['Content-Length: 1', 'Content-Length: 2']],
  [['Content-Length: 1', 'Content-Length: 1']],
  [['Content-Length: 1, 1']],
  [['Content-Length: -1']],
  [['Content-Length: +1']],
  [['Content-Length: 0x10']],
  [['Content-Length: 1.0']],
  [['Content-Length:']],
  [['Content-Length: 9007199254740993']],
  [['Content-Length: 1', 'Transfer-Encoding: chunked']],
  [['Transfer-Encoding: gzip']],
  [['Transfer-Encoding: gzip, chunked']],
  [['Transfer-Encoding: chunked, chunked']],
  [['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
  [['Transfer-Encoding:']],
  [['Transfer-Encoding: xchunked']],
])('%j is understood by nobody', (fields) => {
  expect(() => bodyLength(ok(...fields), 'GET')).toThrow(BadAnswer);
});

const GONE = 'HTTP/1.1 204 No Content';
const UNCHANGED = 'HTTP/1.1 304 Not Modified';

test.each([
  ['stays with nothing said', 'GET', ok(), true],
  ['stays with keep-alive', 'GET', ok('Connection: keep-alive'), true],
  ['stays with a list without close', 'GET', ok('Connection: Keep-Alive, X-Closed'), true],
  ['ends with close', 'GET', ok('Connection: close'), false],
  ['ends with CLOSE in a list', 'GET', ok('Connection: keep-alive,CLOSE , X'), false],
  ['ends with close in a second field', 'GET', ok('Connection: X', 'Connection: close'), false],
  ['ends with HTTP/1.0', 'GET', head('HTTP/1.0 200 OK', 'Connection: keep-alive'), false],
  ['ends after HEAD, for a body may follow all the same', 'HEAD', ok('Content-Length: 1'), false],
  ['stays with a 204', 'GET', head(GONE), true],
  ['ends with a 204 that has a length', 'GET', head(GONE, 'Content-Length: 0'), false],
  ['ends with a 204 in chunks', 'POST', head(GONE, 'Transfer-Encoding: chunked'), false],
  ['stays with a 304', 'GET', head(UNCHANGED, 'ETag: "a"'), true],
  ['ends with a 304 that has a length', 'GET', head(UNCHANGED, 'Content-Length: 9'), false],
])('a connection %s', (_what, method, answer, stays) => {
  expect(mayKeepAlive(answer, method)).toBe(stays);
});

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

test.each([
  ['nothing said', ok(), true],
  ['keep-alive', ok('Connection: keep-alive'), true],
  ['a list without close', ok('Connection: Keep-Alive, X-Closed'), true],
  ['close', ok('Connection: close'), false],
  ['CLOSE in a list', ok('Connection: keep-alive,CLOSE , X'), false],
  ['close in a second field', ok('Connection: X', 'Connection: close'), false],
  ['HTTP/1.0', head('HTTP/1.0 200 OK', 'Connection: keep-alive'), false],
])('whether the connection stays, with %s', (_what, answer, stays) => {
  expect(mayKeepAlive(answer)).toBe(stays);
});

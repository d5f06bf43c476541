import { describe, expect, test } from 'vitest';
import { BadAnswer } from '../../../src/proxy/slot/answer-head.ts';
import { AnswerReader } from '../../../src/proxy/slot/answer-reader.ts';
import { read } from '../../support/read-answer.ts';

const LENGTH = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const CHUNKS =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
  '3\r\nhel\r\n02;ext="a;\\\\\\"b";c;d=e\r\nlo\r\n0\r\nX-Sum: 42\r\nx-sum: 43\r\n\r\n';
const CLOSE = 'HTTP/1.1 200 OK\r\n\r\nhello';
const HINTS = `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n`;

const ANSWERS: [string, string][] = [
  ['a length', LENGTH],
  ['chunks and trailers', CHUNKS],
  ['its end with the connection', CLOSE],
  ['hints before it', HINTS + HINTS + LENGTH],
  [
    'a head of several pieces',
    LENGTH.replace('\r\n\r\n', `\r\nX-Long: ${'a'.repeat(9000)}\r\n\r\n`),
  ],
];

describe.each(ANSWERS)('an answer with %s', (_what, bytes) => {
  test('is the same wherever a read ends', () => {
    const whole = read([bytes]);
    expect(whole.body).toBe('hello');
    expect(whole.isOver).toBe(bytes !== CLOSE);
    expect(whole.endsWithConnection).toBe(bytes === CLOSE);
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(read([bytes.slice(0, cut), bytes.slice(cut)])).toEqual(whole);
    }
    expect(read([...bytes])).toEqual(whole);
  });

  test('is not over before its last byte', () => {
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(read([bytes.slice(0, cut)]).isOver).toBe(false);
    }
  });
});

test.each(ANSWERS.filter(([, bytes]) => bytes !== CLOSE))(
  'an answer with %s leaves what comes after it',
  (_what, bytes) => {
    expect(read([`${bytes}HTTP/1.1 200`]).rest).toBe('HTTP/1.1 200');
  },
);

test('gives trailers apart from the fields', () => {
  const { heads, trailers } = read([CHUNKS]);
  expect(heads[0]?.fields).toEqual(['Transfer-Encoding', 'chunked']);
  expect(trailers).toEqual(['X-Sum', '42', 'x-sum', '43']);
});

test('reads one answer after another', () => {
  const reader = new AnswerReader(16_384);
  for (const [, bytes] of ANSWERS) expect(read([bytes], 'GET', reader).body).toBe('hello');
  expect(read([LENGTH.slice(0, -5)], 'HEAD', reader)).toMatchObject({ body: '', isOver: true });
  expect(read([CHUNKS], 'GET', reader).trailers).toHaveLength(4);
  expect(read([LENGTH], 'GET', reader).trailers).toEqual([]);
});

const chunked = CHUNKS.slice(0, CHUNKS.indexOf('3\r\n'));
test.each([
  ['another protocol', '220 mail.test ESMTP\r\n'],
  ['a letter of it', 'h'],
  ['another version', 'HTTP/2'],
  ['101', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['a head without end', `HTTP/1.1 200 OK\r\nA: ${'a'.repeat(20_000)}`],
  ['a chunk size that is none', `${chunked}x\r\n`],
  ['no chunk size', `${chunked}\r\n`],
  ['a negative chunk size', `${chunked}-1\r\n`],
  ['a chunk size with a prefix', `${chunked}0x1\r\n`],
  ['a chunk size that ends with a bare line feed', `${chunked}1\n`],
  ['white space after it', `${chunked}1 \r\n`],
  ['an extension without a name', `${chunked}1;=a\r\n`],
  ['an open quotation', `${chunked}1;a="b\r\n`],
  ['a bare carriage return after it', `${chunked}1;\ra\r\n`],
  ['a chunk size beyond 2^52', `${chunked}10000000000000\r\n`],
  ['a chunk size line without end', `${chunked}1;${'a'.repeat(5000)}`],
  ['a chunk longer than its size', `${chunked}1\r\nab\r\n`],
  ['a bare line feed after a chunk', `${chunked}1\r\na\n`],
  ['a trailer that is no field', `${chunked}0\r\nA b: c\r\n\r\n`],
  ['trailers without end', `${chunked}0\r\nA: ${'a'.repeat(20_000)}`],
])('is refused as soon as it cannot become an answer:: %s', (_what, bytes) => {
  expect(() => read([bytes])).toThrow(BadAnswer);
  expect(() => read([...bytes])).toThrow(BadAnswer);
});

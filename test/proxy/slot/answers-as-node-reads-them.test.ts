import { get } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AnswerHead, BadAnswer } from '../../../src/proxy/slot/answer-head.ts';
import { startRawOrigin } from '../../support/plane.ts';
import { read } from '../../support/read-answer.ts';

const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';

test('takes nothing for an answer that Node’s own parser reads in another way', async () => {
  const starts = ['HTTP/1.1 200 OK', 'HTTP/1.0 404 Nope', 'HTTP/1.1 204 No Content'];
  const lines = [
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Connection: close',
    'X-A: b, c',
    'Set-Cookie: a=b',
  ];
  const bodies = ['hello', '', '5\r\nhello\r\n0\r\n\r\n', '2;a=b\r\nhe\r\n0\r\nX-T: 1\r\n\r\n'];
  const answer = fc
    .tuple(
      fc.option(fc.constant(HINTS), { nil: '' }),
      fc.constantFrom(...starts),
      fc.subarray(lines),
      fc.constantFrom(...bodies),
    )
    .map(
      ([hints, line, fields, body]) => `${hints}${[line, ...fields, '', ''].join('\r\n')}${body}`,
    );
  /**
   * Up to two bytes put in, taken out or changed; in most places that is wrong. No tab: Node's parser takes `chunked`
   * with one after it for another coding.
   */
  const fault = fc.record({
    at: fc.nat(),
    drop: fc.nat(2),
    put: fc.constantFrom('', ' ', '\r', '\n', '\r\n', '\0', ':', ',', '0', '1', 'a', '\xff'),
  });
  const bytes = fc.tuple(answer, fc.array(fault, { maxLength: 2 })).map(([text, faults]) =>
    faults.reduce((broken, { at, drop, put }) => {
      const place = at % broken.length;
      return broken.slice(0, place) + put + broken.slice(place + drop);
    }, text),
  );

  const askNode = await startNodesParser();
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(bytes, async (text) => {
      const ours = readWhole(text);
      if (ours === null) return;
      accepted++;
      expect(await askNode(text.slice(0, ours.length))).toEqual(ours.answer);
    }),
    { numRuns: 1500 },
  );
  expect(accepted).toBeGreaterThan(100);
});

interface Answer {
  status: number;
  fields: string[];
  body: string;
  trailers: string[];
}

/** What the reader takes for an answer, of all that a site sends before it closes; `null` when that is no whole one. */
function readWhole(text: string): { length: number; answer: Answer } | null {
  try {
    const { heads, body, isOver, endsWithConnection, trailers, rest } = read([text]);
    if (!isOver && !endsWithConnection) return null;
    const { status, fields } = heads.at(-1) as AnswerHead;
    const answer = { status, fields, body, trailers };
    return { length: text.length - rest.length, answer };
  } catch (error) {
    if (error instanceof BadAnswer) return null;
    throw error;
  }
}

/** @returns what node:http makes of what a site sends before it closes; `null` when it is no whole answer */
async function startNodesParser(): Promise<(text: string) => Promise<Answer | null>> {
  let said = '';
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n').catch(() => {});
    wire.socket.end(said, 'latin1');
  });
  const createConnection = () => connect(site.port, '127.0.0.1');
  return (text) => {
    said = text;
    return new Promise((resolve) => {
      const asked = get({ createConnection }, async (incoming) => {
        const chunks: Buffer[] | null = await incoming.toArray().catch(() => null);
        if (chunks === null) return resolve(null);
        const { statusCode: status = 0, rawHeaders: fields, rawTrailers: trailers } = incoming;
        resolve({ status, fields, body: Buffer.concat(chunks).toString('latin1'), trailers });
      });
      asked.on('error', () => resolve(null));
    });
  };
}

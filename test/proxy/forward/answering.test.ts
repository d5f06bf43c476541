/** How much of an answer may wait for its visitor. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { passBody } from '../../../src/proxy/forward/answering.ts';
import type { ExchangeState } from '../../../src/proxy/forward/exchange-state.ts';
import { Answer } from '../../../src/proxy/visitor/answer.ts';
import { serveOrigin } from '../../support/plane.ts';
import { get, rawClient } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

/** An answer in chunks that has begun, to a real visitor; `told` is what the slot's connection has been told. */
async function beginAnswer() {
  const server = createServer();
  const { port } = await serveOrigin(server);
  const visitor = await rawClient(port);
  visitor.send(get());
  const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
  const told: string[] = [];
  const exchange = {
    response,
    answer: new Answer(response, 200, 'OK', ['Transfer-Encoding', 'chunked'], -1),
    encoder: null,
    waitingPieces: 0,
    isPaused: false,
    connection: { pause: () => told.push('pause'), readOn: () => told.push('read on') },
  } as unknown as ExchangeState;
  await visitor.until('\r\n\r\n');
  return { exchange, visitor, told };
}

const PIECE = Buffer.from('x');

function pass(exchange: ExchangeState, pieces: number): void {
  for (let i = 0; i < pieces; i++) passBody(exchange, PIECE);
}

test('255 small pieces of an answer may wait for the visitor', async () => {
  const { exchange, told } = await beginAnswer();
  pass(exchange, 255);
  expect(exchange.response.writableLength).toBeLessThan(
    (exchange.response as ServerResponse).writableHighWaterMark,
  );
  expect(told).toEqual([]);
});

test('with 256 small pieces waiting the slot is read no more until the visitor has taken them', async () => {
  const { exchange, visitor, told } = await beginAnswer();
  pass(exchange, 256);
  // Their bytes alone would not have stopped the slot.
  expect(exchange.response.writableLength).toBeLessThan(
    (exchange.response as ServerResponse).writableHighWaterMark,
  );
  expect(told).toEqual(['pause']);
  await until(() => told.length === 2, 'the slot to be read again');
  expect(told).toEqual(['pause', 'read on']);
  await visitor.until((text) => text.match(/x/g)?.length === 256);
});

test('pieces that the visitor has taken are counted no more', async () => {
  const { exchange, told } = await beginAnswer();
  pass(exchange, 256);
  await until(() => told.length === 2, 'the slot to be read again');
  pass(exchange, 255);
  expect(told).toEqual(['pause', 'read on']);
  pass(exchange, 1);
  expect(told).toEqual(['pause', 'read on', 'pause']);
});

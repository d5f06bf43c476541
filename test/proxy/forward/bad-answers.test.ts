import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { tellBadAnswers } from '../../../src/proxy/forward/bad-answers.ts';
import { serveOrigin, startPlane } from '../../support/plane.ts';

test('wrong answers of a slot are told once a minute, with how many more there were', () => {
  const told: unknown[] = [];
  let now = 0;
  const complain = tellBadAnswers(
    (slot, { message }, more) => told.push([slot, message, more]),
    () => now,
  );
  complain('blue', new Error('first'));
  now = 59_999;
  complain('blue', new Error('second'));
  complain('green', new Error('of the other slot'));
  now = 60_000;
  complain('blue', new Error('third'));
  expect(told).toEqual([
    ['blue', 'first', 0],
    ['green', 'of the other slot', 0],
    ['blue', 'third', 1],
  ]);
});

test('an answer whose head is too long is told of, with the key that limits it', async () => {
  const told: string[] = [];
  const site = await serveOrigin(
    createServer((_request, response) => {
      response.setHeader('Link', 'x'.repeat(5000));
      response.end('page');
    }),
  );
  const { port } = await startPlane({
    blue: site.port,
    proxy: { limits: { answerHeadBytes: 4000 } },
    onBadAnswer: (slot, { message }) => told.push(`${slot}: ${message}`),
  });
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(502);
  expect(told).toEqual([
    'blue: the slot sent a head of more than 4000 bytes (proxy.limits.answerHeadBytes)',
  ]);
});

import type { ClientRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type LoadContext, pause } from './context.ts';
import { exchange } from './exchange.ts';
import { firstWrongByte, patternAt } from './pattern.ts';

export interface Transfer {
  bytes: number;
  /** How long one takes at the least, in milliseconds. */
  overMs: number;
}

const TICK_MS = 25;

/** Uploads one body after another, by turns with a length said beforehand and in chunks. */
export async function uploadClient(load: LoadContext, transfer: Transfer): Promise<void> {
  const path = '/api/upload';
  for (let chunked = false; !load.stopping.aborted; chunked = !chunked) {
    const what = `POST ${path} ${transfer.bytes} bytes ${chunked ? 'chunked' : 'with a length'}`;
    await load.ledger.book('upload', what, () => upload(load, path, transfer, chunked));
    await pause(load, TICK_MS);
  }
}

async function upload(
  load: LoadContext,
  path: string,
  transfer: Transfer,
  chunked: boolean,
): Promise<void> {
  const answer = await exchange(load, {
    path,
    method: 'POST',
    agent: false,
    headers: {
      'content-type': 'application/octet-stream',
      ...(chunked ? {} : { 'content-length': transfer.bytes }),
    },
    overMs: transfer.overMs,
    send: (outgoing) => void sendSlowly(outgoing, transfer),
  });
  const { bytes, intact } = JSON.parse(answer.body) as { bytes?: number; intact?: boolean };
  if (bytes !== transfer.bytes) throw new Error(`the server counted ${bytes} bytes`);
  if (intact === false) throw new Error('the server got other bytes than were sent');
}

async function sendSlowly(outgoing: ClientRequest, { bytes, overMs }: Transfer): Promise<void> {
  const started = performance.now();
  for (let sent = 0; sent < bytes && !outgoing.destroyed; ) {
    const due = Math.ceil((bytes * (performance.now() - started)) / overMs);
    const size = Math.min(due, bytes) - sent;
    if (size > 0) outgoing.write(patternAt(sent, size));
    sent += Math.max(0, size);
    await delay(TICK_MS);
  }
  outgoing.end();
}

/** Downloads one body after another, slowly, and compares each byte. */
export async function downloadClient(load: LoadContext, transfer: Transfer): Promise<void> {
  const path = `/api/download?bytes=${transfer.bytes}`;
  while (!load.stopping.aborted) {
    await load.ledger.book('download', `GET ${path}`, () => download(load, path, transfer));
    await pause(load, TICK_MS);
  }
}

async function download(load: LoadContext, path: string, transfer: Transfer): Promise<void> {
  const started = performance.now();
  let received = 0;
  await exchange(load, {
    path,
    agent: false,
    overMs: transfer.overMs,
    receive: async (chunk) => {
      const wrong = firstWrongByte(chunk, received);
      if (wrong >= 0) throw new Error(`byte ${received + wrong} is wrong`);
      received += chunk.length;
      const dueMs = (received / transfer.bytes) * transfer.overMs;
      const early = started + dueMs - performance.now();
      if (early > TICK_MS) await delay(early);
    },
  });
  if (received !== transfer.bytes) throw new Error(`${received} of ${transfer.bytes} bytes`);
}

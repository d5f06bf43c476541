import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { type LoadContext, pause, type StreamRecord } from './context.ts';
import { whyNotWhole } from './exchange.ts';
import { explain } from './ledger.ts';

/** A browser's EventSource waits before it connects again; ours does not wait as long, in milliseconds. */
const RECONNECT_MS = 100;

/** Reads an event stream, and the next one when the server ends it. */
export async function eventsClient(load: LoadContext, path: string): Promise<void> {
  while (!load.stopping.aborted) {
    const record: StreamRecord = { events: 0, end: 'broken' };
    load.streams.push(record);
    await load.ledger.book('events', `GET ${path}`, () => readStream(load, path, record));
    await pause(load, RECONNECT_MS);
  }
}

async function readStream(load: LoadContext, path: string, record: StreamRecord): Promise<void> {
  const outgoing = request(load.origin + path, {
    agent: false,
    headers: { accept: 'text/event-stream' },
  });
  outgoing.on('error', () => {});
  const leave = () => outgoing.destroy(new Error('stopped'));
  load.stopping.addEventListener('abort', leave);
  const silence = watchSilence(outgoing, load.hungMs);
  try {
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
    outgoing.end();
    const [response] = await answered;
    load.onAnswer(response.headers);
    if (!load.isAllowed(response.statusCode ?? 0, path)) {
      throw new Error(`status ${response.statusCode}`);
    }
    await readEvents(response, record, silence.heard);
    record.end = 'clean';
  } catch (error) {
    if (silence.error) throw silence.error;
    if (!load.stopping.aborted) throw new Error(`${explain(error)}, event ${record.events}`);
    record.end = 'stopped';
  } finally {
    silence.end();
    load.stopping.removeEventListener('abort', leave);
    outgoing.destroy();
  }
}

async function readEvents(
  response: IncomingMessage,
  record: StreamRecord,
  heard: () => void,
): Promise<void> {
  let bytes = 0;
  let rest = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    heard();
    bytes += chunk.length;
    const parts = (rest + chunk.toString('utf8')).split('\n\n');
    rest = parts.pop() as string;
    for (const part of parts) count(part, record);
  }
  const missing = whyNotWhole(response, bytes);
  if (missing !== null) throw new Error(missing);
  if (rest !== '') throw new Error(`ended within an event: ${JSON.stringify(rest)}`);
}

/** Our sites number the events of each stream from 1 on, so that a lost one shows. */
function count(event: string, record: StreamRecord): void {
  const id = /^id: (\d+)$/m.exec(event)?.[1];
  if (id === undefined) return;
  if (Number(id) !== record.events + 1) throw new Error(`event ${id} came`);
  record.events++;
}

function watchSilence(outgoing: ClientRequest, limitMs: number) {
  const silence = {
    error: null as Error | null,
    heard: () => void timer.refresh(),
    end: () => clearTimeout(timer),
  };
  const timer = setTimeout(() => {
    silence.error = new Error(`hung: silent for ${limitMs / 1000} s`);
    outgoing.destroy(silence.error);
  }, limitMs);
  return silence;
}

/** One upgrade request on its way to the slot, over http-proxy-3's own passes. */
import { Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ProxyServer } from 'http-proxy-3';
import { afterReading } from '../../after-reading.ts';
import { toVisitorFields } from '../request/fields.ts';
import { AnswerTimeout } from '../slot/failure.ts';

/** An upgrade for http-proxy-3, with callbacks for the outcomes that http-proxy-3 does not report. */
export interface UpgradeCall {
  proxy: ProxyServer;
  request: IncomingMessage;
  client: Duplex;
  head: Buffer;
  /** Connected already, with no byte sent. */
  slotSocket: Socket;
  /** As the slot is to get them, but for `Connection` and `Upgrade`. */
  headers: string[];
  answerTimeoutMs: number;
  release: string | null;
  /** The slot has agreed, and http-proxy-3 pipes the connections into each other. */
  onUpgraded(): void;
  /** The slot has refused, and its answer is on its way to the visitor. */
  onRefused(): void;
  onError(error: Error): void;
}

/** Hands a connected pair to http-proxy-3's passes; what those get wrong is set right in their events. */
export function callSlot(call: UpgradeCall): ClientRequest | null {
  const { proxy, request, client, head, slotSocket, onError } = call;
  let outgoing: ClientRequest | null = null;
  const prepare = (made: ClientRequest) => {
    outgoing = made;
    listen(made, call);
    setRequestHead(made, request.url as string, call.headers);
  };
  proxy.once('proxyReqWs', prepare);
  const target = { protocol: 'http:', host: '127.0.0.1', port: String(slotSocket.remotePort) };
  try {
    proxy.ws(
      request,
      client as Socket,
      head,
      { target, agent: agentOver(slotSocket) } as never,
      onError,
    );
  } catch (error) {
    onError(error as Error);
  } finally {
    proxy.off('proxyReqWs', prepare);
  }
  return outgoing;
}

function listen(outgoing: ClientRequest, call: UpgradeCall): void {
  let isAwaited = true;
  const late = () => {
    if (!isAwaited) return;
    call.onError(new AnswerTimeout());
    outgoing.destroy();
  };
  const timer = setTimeout(afterReading, call.answerTimeoutMs, late);
  const stopWaiting = () => {
    isAwaited = false;
    clearTimeout(timer);
  };
  outgoing.on('close', stopWaiting);
  outgoing.on('upgrade', (answer) => {
    stopWaiting();
    const fields = toVisitorFields(answer.rawHeaders, undefined, call.release);
    answer.headers = toObject([...fields, 'Connection', 'Upgrade', 'Upgrade', 'websocket']);
    // After http-proxy-3's own listener, whose pipes know nothing of frames and half-closed connections.
    process.nextTick(call.onUpgraded);
  });
  outgoing.on('response', (answer) => {
    stopWaiting();
    call.onRefused();
    const fields = toVisitorFields(answer.rawHeaders, answer.headers.connection, call.release);
    answer.headers = toObject([...fields, 'connection', 'close'].map(lowerName));
    guardRefusal(answer, call.client);
  });
}

/** http-proxy-3 writes a refusal's body without looking at the client's pace, and waits for ever for its end. */
function guardRefusal(answer: IncomingMessage, client: Duplex): void {
  answer.on('data', () => {
    if (!client.writableNeedDrain) return;
    answer.pause();
    client.once('drain', () => answer.resume());
  });
  answer.on('error', () => client.destroy());
}

function agentOver(socket: Socket): Agent {
  const agent = new Agent();
  agent.createConnection = () => socket;
  return agent;
}

/** Nothing has been sent yet: http-proxy-3 emits `proxyReqWs` before it ends the request. */
function setRequestHead(outgoing: ClientRequest, path: string, headers: string[]): void {
  for (const name of outgoing.getRawHeaderNames()) outgoing.removeHeader(name);
  const fields = toObject([...headers, 'Connection', 'Upgrade', 'Upgrade', 'websocket']);
  for (const [name, value] of Object.entries(fields)) outgoing.setHeader(name, value);
  // As it came: http-proxy-3 normalises it (hazard 7).
  outgoing.path = path;
}

/** Repeated fields as lists, so that they stay apart, under the name that came first. */
function toObject(flat: string[]): Record<string, string | string[]> {
  const names = new Map<string, string>();
  // Without a prototype: `__proto__` and `constructor` are names like any other.
  const out: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; i < flat.length; i += 2) {
    const lower = (flat[i] as string).toLowerCase();
    const name = names.get(lower) ?? (flat[i] as string);
    names.set(lower, name);
    const value = flat[i + 1] as string;
    const before = out[name];
    if (before === undefined) out[name] = value;
    else out[name] = [before, value].flat();
  }
  return out;
}

function lowerName(word: string, index: number): string {
  return index % 2 === 0 ? word.toLowerCase() : word;
}

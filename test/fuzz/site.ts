/** A site that speaks bytes: it answers each request with what its target's seed says, and checks whose body came. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type AnswerPlan, planAnswer } from './answers.ts';
import { bodyOf } from './random.ts';

export interface FuzzSite {
  port: number;
  /** The markers of all requests that came, with the number of times. */
  seen: Map<string, number>;
  /** What was wrong with a request that came. */
  faults: string[];
  closeIdle(): void;
  close(): void;
}

export async function startFuzzSite(): Promise<FuzzSite> {
  const sockets = new Set<Socket>();
  const site = { seen: new Map<string, number>(), faults: [] as string[] };
  const server: Server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    serve(socket, site);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const closeIdle = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    ...site,
    port: (server.address() as AddressInfo).port,
    closeIdle,
    close() {
      server.close();
      closeIdle();
    },
  };
}

interface Request {
  method: string;
  marker: string;
  seed: number;
  /** `null`: chunked. */
  length: number | null;
}

/** One request after the other: the proxy sends the next when it has the answer. */
function serve(socket: Socket, site: Pick<FuzzSite, 'seen' | 'faults'>): void {
  let text = '';
  let request: Request | null = null;
  let plan: AnswerPlan | null = null;
  let isAnswered = false;
  /** A request that comes before the connection's end is not answered: the end would cut its answer in due form. */
  let isEnding = false;

  const answer = async (planned: AnswerPlan) => {
    isAnswered = true;
    isEnding ||= planned.ending !== 'keep';
    for (const piece of planned.pieces) {
      if (socket.destroyed) return;
      socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (planned.ending === 'end') socket.end();
    else if (planned.ending === 'reset') reset(socket);
  };

  const look = () => {
    for (;;) {
      if (request === null) {
        if (isEnding) return;
        const end = text.indexOf('\r\n\r\n');
        if (end === -1) return;
        request = parseHead(text.slice(0, end));
        text = text.slice(end + 4);
        if (request === null) {
          site.faults.push(`no head that a proxy may send: ${JSON.stringify(text.slice(0, 200))}`);
          socket.destroy();
          return;
        }
        site.seen.set(request.marker, (site.seen.get(request.marker) ?? 0) + 1);
        plan = planAnswer(request.seed, request.marker, request.method);
        isAnswered = false;
        if (plan.early) void answer(plan);
      }
      const body = takeBody(text, request.length);
      const begun = body?.bytes ?? (request.length === null ? '' : text);
      if (!bodyOf(request.marker, begun.length).startsWith(begun)) {
        site.faults.push(`${request.marker} came with the body of another: ${begun.slice(0, 60)}`);
      }
      if (body === null) return;
      text = text.slice(body.end);
      if (!isAnswered && plan) void answer(plan);
      request = null;
    }
  };
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    look();
  });
}

/** At once: `resetAndDestroy` sends a FIN first, which makes an answer without a length whole. */
function reset(socket: Socket): void {
  (socket as unknown as { _handle: { reset(done: () => void): void } | null })._handle?.reset(
    () => {},
  );
  socket.destroy();
}

function parseHead(head: string): Request | null {
  const [line = '', ...fields] = head.split('\r\n');
  const [, method, marker, seed] =
    /^([A-Z]+) \/f\/(\w+)\/(\d+)(?:\?\S*)? HTTP\/1\.1$/.exec(line) ?? [];
  if (method === undefined || marker === undefined) return null;
  const values = (name: string) =>
    fields
      .filter((field) => field.toLowerCase().startsWith(`${name}:`))
      .map((field) => field.slice(name.length + 1).trim());
  const lengths = values('content-length');
  const codings = values('transfer-encoding');
  if (lengths.length + codings.length > 1) return null;
  if (codings.length === 1 && codings[0] !== 'chunked') return null;
  const length = codings.length === 1 ? null : Number(lengths[0] ?? 0);
  return { method, marker, seed: Number(seed), length };
}

/** @returns the body and where it ends, or `null` while it is not whole */
function takeBody(text: string, length: number | null): { bytes: string; end: number } | null {
  if (length !== null)
    return text.length < length ? null : { bytes: text.slice(0, length), end: length };
  let bytes = '';
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    at = lineEnd + 2;
    if (size === 0) {
      const end = text.indexOf('\r\n', at) === at ? at + 2 : text.indexOf('\r\n\r\n', at) + 4;
      return end < at + 2 ? null : { bytes, end };
    }
    if (text.length < at + size + 2) return null;
    bytes += text.slice(at, at + size);
    at += size + 2;
  }
}

/** Rounds of visitors and a site that do what they like, and what must hold after each. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readMemory } from '../support/memory.ts';
import { judge } from './oracle.ts';
import { type Random, random } from './random.ts';
import { isSafe, planRequest, type RequestPlan } from './requests.ts';
import { startFuzzSite } from './site.ts';
import { http1Session, http2Session, type Protocol, type Session } from './visitors.ts';

/** The worker between two rounds. */
export interface Look {
  inflight: number;
  places: number;
  /** Visitors' connections with something under way. */
  sockets: number;
  leaks: string[];
  /** Of requests: errors that were thrown, and met by the guard. */
  faults: string[];
  /** Kinds of handles and requests that keep the process alive, with their numbers. */
  resources: Record<string, number>;
  heapMiB: number;
}

export interface Counts {
  rounds: number;
  connections: number;
  requests: number;
  whole: number;
  broken: number;
  own: number;
  unanswered: number;
  left: number;
  /** Connections by protocol, and of these the visitors who left or sent what is bad. */
  byProtocol: Record<Protocol, { connections: number; left: number }>;
}

export interface FuzzOptions {
  seed: number;
  rounds?: number;
  /** The round to begin with: what a round does depends on its number and the seed alone. */
  from?: number;
  forMs?: number;
  certificate: { cert: string; key: string };
  sessionsPerRound?: number;
  onRound?: (counts: Counts, look: Look) => void;
}

export interface FuzzResult {
  counts: Counts;
  /** What must not be; empty when all is well. Each names its round's seed. */
  faults: string[];
  heapMiB: { first: number; last: number };
}

/** The worker once nothing is under way, and what is wrong with it. */
interface Rest {
  look: Look;
  faults: string[];
}

const AT_ONCE = 24;
const REST_MS = 45_000;
/** Rounds until caches and compiled code have settled. */
const WARM_UP = 5;
/** More than the collector's own noise. */
const MAX_GROWTH_MIB = 8;
/** No round needs a third of that. */
const MAX_MEMORY_MIB = 512;
const MEMORY_INTERVAL_MS = 500;

export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { seed, certificate, sessionsPerRound = 150 } = options;
  const site = await startFuzzSite();
  const worker = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), {
    env: { ...process.env, SITE: String(site.port), CERT: certificate.cert, KEY: certificate.key },
    execArgv: ['--expose-gc', '--trace-warnings'],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  let warnings = '';
  worker.stderr?.on('data', (text) => {
    warnings += text;
  });
  const hasEnded = () => worker.exitCode !== null || worker.signalCode !== null;
  const faults: string[] = [];
  const counts: Counts = {
    rounds: 0,
    connections: 0,
    requests: 0,
    whole: 0,
    broken: 0,
    own: 0,
    unanswered: 0,
    left: 0,
    byProtocol: {
      http: { connections: 0, left: 0 },
      tls: { connections: 0, left: 0 },
      http2: { connections: 0, left: 0 },
    },
  };
  const heap: number[] = [];
  try {
    const [ports] = (await once(worker, 'message')) as [{ plain: number; tls: number }];
    const ended = once(worker, 'exit');
    const look = async (collect: boolean): Promise<Look> => {
      if (!hasEnded()) worker.send({ look: true, collect });
      const answer = await Promise.race([once(worker, 'message'), ended.then(() => null)]);
      if (answer === null) throw new Error('the worker has ended');
      return (answer as [{ look: Look }])[0].look;
    };
    let baseline: Look | null = null;
    const until = performance.now() + (options.forMs ?? Number.POSITIVE_INFINITY);
    const { from = 0, rounds = Number.POSITIVE_INFINITY } = options;
    for (let round = from; round < from + rounds; round++) {
      if (performance.now() > until || faults.length > 20) break;
      const at = random(seed + round);
      const say = (fault: string) => faults.push(`seed ${seed + round}: ${fault}`);
      site.seen.clear();
      const limit = limitMemory(worker.pid as number);
      const sessions = await runRound(round, at, ports, sessionsPerRound);
      site.closeIdle();
      const rest: Rest | null = hasEnded()
        ? null
        : await untilRest(look, baseline).catch(() => null);
      limit.end();
      if (rest === null) {
        const why = limit.reached() ?? `${worker.exitCode ?? worker.signalCode}`;
        say(`the worker has ended (${why}): ${warnings.slice(-2000)}`);
        break;
      }
      for (const session of sessions) for (const fault of judge(session)) say(fault);
      tally(counts, sessions);
      for (const fault of site.faults.splice(0)) say(`the site: ${fault}`);
      for (const fault of misdelivered(sessions, site.seen)) say(fault);
      baseline ??= rest.look;
      for (const fault of rest.faults) say(fault);
      heap.push(rest.look.heapMiB);
      options.onRound?.(counts, rest.look);
    }
  } finally {
    worker.kill();
    site.close();
  }
  if (warnings !== '') faults.push(`the worker printed: ${warnings.slice(0, 2000)}`);
  const first = Math.min(...heap.slice(WARM_UP, WARM_UP + 3));
  const last = Math.min(...heap.slice(-3));
  if (heap.length > 2 * WARM_UP && last - first > MAX_GROWTH_MIB) {
    faults.push(`the heap grew from ${first.toFixed(1)} to ${last.toFixed(1)} MiB`);
  }
  return { counts, faults, heapMiB: { first, last } };
}

/** Ends a worker that takes too much memory: it would take the machine's. */
function limitMemory(pid: number): { reached(): string | null; end(): void } {
  let reached: string | null = null;
  const timer = setInterval(() => {
    const mib = residentMiB(pid);
    if (mib <= MAX_MEMORY_MIB || reached !== null) return;
    reached = `it took ${Math.round(mib)} MiB`;
    process.kill(pid, 'SIGKILL');
  }, MEMORY_INTERVAL_MS);
  return { reached: () => reached, end: () => clearInterval(timer) };
}

/** 0 where there is no /proc, and for a process that is gone. */
function residentMiB(pid: number): number {
  try {
    return readMemory(pid).bytes / 2 ** 20;
  } catch {
    return 0;
  }
}

async function runRound(
  round: number,
  at: Random,
  ports: { plain: number; tls: number },
  count: number,
): Promise<Session[]> {
  const waiting = Array.from({ length: count }, (_, number) => {
    const own = random(at.seed());
    const badShare = own.chance(0.3) ? 0.5 : 0;
    const requests = Array.from({ length: 1 + own.below(6) }, (_, index) =>
      planRequest(own, `m${round}x${number}x${index}`, badShare),
    );
    const kind = own.below(3);
    // What is bad as bytes cannot be said over HTTP/2.
    const good = requests.map((each): RequestPlan => ({ ...each, sort: 'good' }));
    return () =>
      kind === 2
        ? http2Session(ports.tls, good, own)
        : http1Session(kind === 0 ? ports.plain : ports.tls, kind === 1, requests, own);
  });
  const sessions: Session[] = [];
  const lane = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) sessions.push(await next());
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return sessions;
}

/** A bad request that reached the site, and one that must not be sent twice and was. */
function misdelivered(sessions: Session[], seen: Map<string, number>): string[] {
  return sessions.flatMap((session) =>
    session.seen.flatMap(({ request: { marker, method, sort } }) => {
      const times = seen.get(marker) ?? 0;
      if (sort === 'bad' && times > 0) return [`${method} ${marker} is bad, and reached the site`];
      if (times > 1 && !isSafe(method))
        return [`${method} ${marker} reached the site ${times} times`];
      return [];
    }),
  );
}

/** Waits until nothing is left of a round, and says what is. */
async function untilRest(
  look: (collect: boolean) => Promise<Look>,
  baseline: Look | null,
): Promise<Rest> {
  const deadline = performance.now() + REST_MS;
  const faults: string[] = [];
  for (;;) {
    const now = await look(false);
    faults.push(...now.faults.map((fault) => `a request has thrown: ${fault}`));
    const left = leftovers(now, baseline);
    if (left.length === 0 || performance.now() > deadline) {
      // What the audit would put right is wrong.
      const last = await look(true);
      return { look: last, faults: [...faults, ...left, ...last.leaks] };
    }
    await delay(50);
  }
}

function leftovers(
  { inflight, places, sockets, resources }: Look,
  baseline: Look | null,
): string[] {
  const left: string[] = [];
  if (inflight + places + sockets > 0) {
    left.push(`left: ${inflight} in flight, ${places} places, ${sockets} busy connections`);
  }
  for (const [kind, count] of Object.entries(resources)) {
    const before = baseline?.resources[kind] ?? (baseline ? 0 : count);
    if (/Timeout|TCP|TLS|Http2|Stream/.test(kind) && count > before) {
      left.push(`left: ${count} ${kind}, ${before} at the beginning`);
    }
  }
  return left;
}

function tally(counts: Counts, sessions: Session[]): void {
  counts.rounds++;
  counts.connections += sessions.length;
  for (const { seen, isSpoilt, protocol } of sessions) {
    counts.byProtocol[protocol].connections++;
    if (isSpoilt) counts.byProtocol[protocol].left++;
    if (isSpoilt) counts.left++;
    for (const { status, marker, complete } of seen) {
      counts.requests++;
      if (status === null) counts.unanswered++;
      else if (marker === null) counts.own++;
      else if (complete) counts.whole++;
      else counts.broken++;
    }
  }
}

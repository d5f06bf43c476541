/** Visitors of every kind, who account for each of their requests. */
import type {
  Answer,
  FailedRequest,
  LoadContext,
  SocketRecord,
  StreamRecord,
} from './load/context.ts';
import { eventsClient } from './load/events.ts';
import { createLedger, type Kind, type KindResult } from './load/ledger.ts';
import { freshClient, freshVisitors, keepAliveClient, slowClient } from './load/pages.ts';
import { downloadClient, type Transfer, uploadClient } from './load/transfers.ts';
import { webSocketClient } from './load/web-socket.ts';

export interface LoadOptions {
  /** What keep-alive and fresh clients ask for, at random. */
  paths?: readonly string[];
  /** How many clients of each kind; none without it. */
  keepAlive?: number;
  fresh?: number;
  slow?: number;
  events?: number;
  webSockets?: number;
  /** Further requests on fresh connections: so many begin each second, whether or not those before have ended. */
  freshPerSecond?: number;
  /** One client each. */
  upload?: Partial<Transfer>;
  download?: Partial<Transfer>;
  slowPath?: string;
  eventsPath?: string;
  webSocketPath?: string;
  /** Between two requests of one keep-alive or fresh client, in milliseconds. */
  pauseMs?: number;
  /** A request that takes longer has failed, in milliseconds; a transfer gets its own time besides. */
  hungMs?: number;
  /** Statuses besides 200 that are no failure. */
  allow?: (status: number, path: string) => boolean;
  /** What is wrong with an answer to a keep-alive or fresh client, or `null`. */
  complain?: (path: string, answer: Answer) => string | null;
  /** Told how long each request of a keep-alive or fresh client took, in milliseconds. */
  onQuick?: (ms: number) => void;
  /** Told each failed request, as it fails; one that only a complaint has failed is none of them. */
  onFailed?: (failed: FailedRequest) => void;
}

export interface LoadResult {
  requests: number;
  failed: number;
  /** The first 20, for instance `keep-alive GET /posts/x: ECONNRESET after 12 ms`. */
  failures: string[];
  byKind: Record<Kind, KindResult>;
  /** Of the requests that should be quick: those of keep-alive and fresh clients. */
  slowestMs: number;
  /** How many answers came from each release, by `x-slots-release`. */
  releases: Record<string, number>;
  streams: StreamRecord[];
  sockets: SocketRecord[];
}

export interface Load {
  /** How many requests have begun so far. */
  requests(): number;
  /** Begins no more requests, lets those that run come to their end, and counts them. */
  stop(): Promise<LoadResult>;
}

const UPLOAD: Transfer = { bytes: 8 * 1024 * 1024, overMs: 4000 };
const DOWNLOAD: Transfer = { bytes: 20 * 1024 * 1024, overMs: 4000 };

export function startLoad(origin: string, options: LoadOptions = {}): Load {
  const stopping = new AbortController();
  const releases: Record<string, number> = {};
  const load: LoadContext = {
    origin,
    ledger: createLedger(options.onQuick),
    stopping: stopping.signal,
    hungMs: options.hungMs ?? 10_000,
    isAllowed: (status, path) => status === 200 || (options.allow?.(status, path) ?? false),
    complain: options.complain ?? (() => null),
    onFailed: options.onFailed ?? (() => {}),
    onAnswer(headers) {
      const release = headers['x-slots-release'];
      if (typeof release === 'string') releases[release] = (releases[release] ?? 0) + 1;
    },
    streams: [],
    sockets: [],
  };
  const clients = startClients(load, options);

  return {
    requests: () => load.ledger.requests(),
    async stop() {
      stopping.abort();
      await Promise.all(clients);
      const { byKind, failures, failed } = load.ledger.close();
      return {
        requests: load.ledger.requests(),
        failed,
        failures,
        byKind,
        slowestMs: Math.max(byKind['keep-alive'].slowestMs, byKind.fresh.slowestMs),
        releases,
        streams: load.streams,
        sockets: load.sockets,
      };
    },
  };
}

function startClients(load: LoadContext, options: LoadOptions): Promise<void>[] {
  const { paths = ['/'], pauseMs = 10 } = options;
  const { slowPath = '/api/slow?ms=1500', eventsPath = '/api/clock' } = options;
  const { webSocketPath = '/live?page=/', upload, download, freshPerSecond } = options;
  const several = (count: number | undefined, client: () => Promise<void>) =>
    Array.from({ length: count ?? 0 }, client);
  return [
    ...several(options.keepAlive, () => keepAliveClient(load, paths, pauseMs)),
    ...several(options.fresh, () => freshClient(load, paths, pauseMs)),
    ...several(options.slow, () => slowClient(load, slowPath)),
    ...several(options.events, () => eventsClient(load, eventsPath)),
    ...several(options.webSockets, () => webSocketClient(load, webSocketPath)),
    ...(freshPerSecond ? [freshVisitors(load, paths, freshPerSecond)] : []),
    ...(upload ? [uploadClient(load, { ...UPLOAD, ...upload })] : []),
    ...(download ? [downloadClient(load, { ...DOWNLOAD, ...download })] : []),
  ];
}

export const KINDS = [
  'keep-alive',
  'fresh',
  'slow',
  'upload',
  'download',
  'events',
  'web-socket',
] as const;

export type Kind = (typeof KINDS)[number];

export interface KindResult {
  requests: number;
  failed: number;
  slowestMs: number;
}

/** Counts every request from the moment it is begun, so that one that never ends is missed by nobody. */
export interface Ledger {
  /** Runs one request and books how it ended; a rejection is a failure and gives `null`. */
  book<T>(kind: Kind, what: string, act: () => Promise<T>): Promise<T | null>;
  /** How many have begun so far. */
  requests(): number;
  /** @throws Error when a request is still open */
  close(): { byKind: Record<Kind, KindResult>; failures: string[]; failed: number };
}

const MAX_FAILURES = 20;

/** @param onQuick is told how long each request of a keep-alive or fresh client took, in milliseconds */
export function createLedger(onQuick: (ms: number) => void = () => {}): Ledger {
  const byKind = Object.fromEntries(
    KINDS.map((kind) => [kind, { requests: 0, failed: 0, slowestMs: 0 }]),
  ) as Record<Kind, KindResult>;
  const failures: string[] = [];
  const open = new Set<string>();
  const sum = (key: 'requests' | 'failed') =>
    KINDS.reduce((total, kind) => total + byKind[kind][key], 0);

  return {
    async book(kind, what, act) {
      const account = byKind[kind];
      const name = `${kind} ${what} (#${++account.requests})`;
      open.add(name);
      const started = performance.now();
      const elapsed = () => Math.round(performance.now() - started);
      try {
        return await act();
      } catch (error) {
        account.failed++;
        if (failures.length < MAX_FAILURES) {
          failures.push(`${kind} ${what}: ${explain(error)} after ${elapsed()} ms`);
        }
        return null;
      } finally {
        open.delete(name);
        account.slowestMs = Math.max(account.slowestMs, elapsed());
        if (kind === 'keep-alive' || kind === 'fresh') onQuick(performance.now() - started);
      }
    },

    requests: () => sum('requests'),

    close() {
      if (open.size > 0) throw new Error(`requests that never ended: ${[...open].join(', ')}`);
      return { byKind, failures, failed: sum('failed') };
    },
  };
}

/** `ECONNRESET` for what the kernel says, the message for everything else. */
export function explain(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code !== undefined && /^E(?!RR_)/.test(code) ? code : message;
}

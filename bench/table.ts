/** One peer's figures in one round. */
export interface Measured {
  perSecond: number;
  perCpuSecond: number;
  /** In microseconds. */
  p50: number;
  p99: number;
  errors: number;
  memoryMiB: number;
}

/** Rounds by peer. */
export type Rows = Map<string, Measured[]>;

export interface Summary extends Measured {
  name: string;
  /** Requests per CPU-second against each of `BASES` in the same round, the medians; `null` for one that is missing. */
  ratios: (number | null)[];
}

/** The peers that the others are compared with. */
const BASES = ['http-proxy-3', 'caddy', 'nginx'];

export function summarise(rows: Rows): Summary[] {
  return [...rows].map(([name, rounds]) => ({
    name,
    perSecond: median(rounds.map((round) => round.perSecond)),
    perCpuSecond: median(rounds.map((round) => round.perCpuSecond)),
    p50: median(rounds.map((round) => round.p50)),
    p99: median(rounds.map((round) => round.p99)),
    errors: rounds.reduce((sum, round) => sum + round.errors, 0),
    memoryMiB: Math.max(...rounds.map((round) => round.memoryMiB)),
    ratios: BASES.map((base) => ratio(rounds, rows.get(base))),
  }));
}

function ratio(rounds: Measured[], base: Measured[] | undefined): number | null {
  if (!base) return null;
  return median(rounds.map((round, i) => round.perCpuSecond / (base[i] as Measured).perCpuSecond));
}

export function renderTable(summaries: Summary[]): string {
  const head = [
    [
      ...['proxy', 'requests/s', 'per CPU-second', ...BASES.map((base) => `× ${base}`)],
      ...['p50', 'p99', 'peak memory', 'errors'],
    ],
    ['---', ...new Array<string>(BASES.length + 6).fill('--:')],
  ];
  const rows = summaries.map((row) => [
    row.name,
    thousands(row.perSecond),
    thousands(row.perCpuSecond),
    ...row.ratios.map((each) => each?.toFixed(2) ?? ''),
    duration(row.p50),
    duration(row.p99),
    `${Math.round(row.memoryMiB)} MiB`,
    String(row.errors),
  ]);
  return [...head, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function duration(microseconds: number): string {
  if (Number.isNaN(microseconds)) return '–';
  return microseconds < 1000
    ? `${Math.round(microseconds)} µs`
    : `${(microseconds / 1000).toFixed(1)} ms`;
}

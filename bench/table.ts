/** One peer's figures in one round. */
export interface Measured {
  perSecond: number;
  perCpuSecond: number;
  /** In microseconds. */
  p50: number;
  p99: number;
  /** Of an answer over the wire. */
  bytes: number;
  errors: number;
  memoryMiB: number;
}

/** Rounds by peer. */
export type Rows = Map<string, Measured[]>;

export interface Summary extends Measured {
  name: string;
  /** Requests per CPU-second against each of `BASES` that takes part, in the same round; the medians. */
  ratios: Record<string, number>;
}

/** The peers that the others are compared with. */
const BASES = [
  'http-proxy-3',
  'caddy',
  'nginx',
  'varnish',
  'nginx, proxy_cache',
  'caddy, encode',
  'nginx, gzip on',
];

export function summarise(rows: Rows): Summary[] {
  const bases = BASES.filter((base) => rows.has(base));
  return [...rows].map(([name, rounds]) => ({
    name,
    perSecond: median(rounds.map((round) => round.perSecond)),
    perCpuSecond: median(rounds.map((round) => round.perCpuSecond)),
    p50: median(rounds.map((round) => round.p50)),
    p99: median(rounds.map((round) => round.p99)),
    bytes: median(rounds.map((round) => round.bytes)),
    errors: rounds.reduce((sum, round) => sum + round.errors, 0),
    memoryMiB: Math.max(...rounds.map((round) => round.memoryMiB)),
    ratios: Object.fromEntries(
      bases.map((base) => [base, ratio(rounds, rows.get(base) as Measured[])]),
    ),
  }));
}

function ratio(rounds: Measured[], base: Measured[]): number {
  return median(rounds.map((round, i) => round.perCpuSecond / (base[i] as Measured).perCpuSecond));
}

export function renderTable(summaries: Summary[]): string {
  const bases = Object.keys(summaries[0]?.ratios ?? {});
  const head = [
    [
      ...['proxy', 'requests/s', 'per CPU-second', ...bases.map((base) => `× ${base}`)],
      ...['p50', 'p99', 'bytes', 'peak memory', 'errors'],
    ],
    ['---', ...new Array<string>(bases.length + 7).fill('--:')],
  ];
  const rows = summaries.map((row) => [
    row.name,
    thousands(row.perSecond),
    thousands(row.perCpuSecond),
    ...bases.map((base) => (row.ratios[base] as number).toFixed(2)),
    duration(row.p50),
    duration(row.p99),
    thousands(row.bytes),
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

/** The table of faults: each experiment records a row, and the run prints them all at its end. */
import { appendFileSync, readFileSync } from 'node:fs';
import { table } from '../../src/cli/terminal/format.ts';

/** What one experiment did and found. */
export interface FaultRow {
  /** The row of the table that it belongs to, for the order. */
  row: number;
  /** In a few words, for instance `kill -9 a proxy worker`. */
  fault: string;
  injected: number;
  requests: number;
  failed: number;
  /** Failures that physics demands, for instance those open on the process that was killed; none without it. */
  allowed?: number;
  editsLost: number;
  /** From the fault to normal service, in milliseconds, once per injection; empty where nothing had to recover. */
  recoveryMs: readonly number[];
  /**
   * 99th percentiles of visitors whom the fault does not concern, in milliseconds: pairs of one before it and one while it
   * lasts, taken in turn. On a machine that does other things only their ratio says something.
   */
  p99?: readonly { before: number; during: number }[];
}

/** Where this run's rows are, for the processes that run its tests. */
export const ROWS_FILE = 'SLOTS_FAULTS_FILE';

/** `SLOTS_FAULTS=full` runs every experiment as often as the table in docs/reliability.md says. */
export const isFull = process.env.SLOTS_FAULTS === 'full';

/** How often an experiment injects its fault: few times in `npm run test:faults:quick`, all of them in `npm run test:faults`. */
export function times(quick: number, full: number): number {
  return isFull ? full : quick;
}

/** Call it before the experiment's expectations, so that a run that fails shows what it found. */
export function recordFault(row: FaultRow): void {
  const file = process.env[ROWS_FILE];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(row)}\n`);
}

export function readFaults(file: string): FaultRow[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as FaultRow);
}

const HEAD = [
  '#',
  'fault',
  'times',
  'requests',
  'failed',
  'allowed',
  'edits lost',
  'recovery median',
  'max',
  "others' p99 before",
  'during',
  'ratio',
];

/** Aligned, in the order of the table and then of the run. */
export function renderFaults(rows: readonly FaultRow[]): string {
  const sorted = [...rows].sort((a, b) => a.row - b.row);
  return table([HEAD, ...sorted.map(cells)]);
}

function cells({ row, fault, recoveryMs, p99 = [], ...counts }: FaultRow): string[] {
  const { injected, requests, failed, allowed = 0, editsLost } = counts;
  const numbers = [injected, requests, failed, allowed, editsLost];
  const times = recoveryMs.length === 0 ? [null, null] : [median(recoveryMs), max(recoveryMs)];
  return [
    String(row),
    fault,
    ...numbers.map((value) => value.toLocaleString('en-US')),
    ...times.map((ms) => (ms === null ? '–' : `${Math.round(ms)} ms`)),
    ...othersCells(p99),
  ];
}

function othersCells(p99: NonNullable<FaultRow['p99']>): string[] {
  if (p99.length === 0) return ['–', '–', '–'];
  const before = median(p99.map((pair) => pair.before));
  const during = median(p99.map((pair) => pair.during));
  const ratio = median(p99.map((pair) => pair.during / pair.before));
  return [`${Math.round(before)} ms`, `${Math.round(during)} ms`, ratio.toFixed(2)];
}

/** @param share 0.99 for the 99th percentile */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
}

/** The middle one, or the earlier of the two in the middle: a time that was measured. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] as number;
}

function max(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
}

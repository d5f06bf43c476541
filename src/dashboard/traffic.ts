/** Requests and their answers: figures, and rows for the chart. Pure. */
import type { TrafficPoint } from '../controller/metrics/traffic-ring.ts';
import type { HistoryEntry } from '../slots/history.ts';
import { amount, latency } from './format.ts';

/** One second; its latencies are 0 when nothing was answered in it. */
export interface Point {
  /** Milliseconds since 1970. */
  time: number;
  requests: number;
  errors: number;
  /** Answered from memory, and asked of the site since nothing was stored. */
  hits: number;
  misses: number;
  p50Ms: number;
  p99Ms: number;
}

/** How far back the chart goes: a controller that has just started fills the shortest, in milliseconds. */
const SPANS_MS = [60_000, 120_000, 300_000];

/** One second alone jumps too much for "now" in the figures beside the chart; in points. */
const RECENT = 10;

/** A second that is missing for longer breaks a line, in milliseconds. */
const GAP_MS = 5000;

export function toPoint({ at, p50Ms, p99Ms, ...counts }: TrafficPoint): Point {
  return { time: Date.parse(at), ...counts, p50Ms: p50Ms ?? 0, p99Ms: p99Ms ?? 0 };
}

/** The part of time that the chart shows, in milliseconds. */
export function spanOf(points: Point[], now: number): { end: number; spanMs: number } {
  const end = points.at(-1)?.time ?? now;
  const age = end - (points[0]?.time ?? end);
  return { end, spanMs: SPANS_MS.find((span) => span >= age) ?? 300_000 };
}

export function recent(points: Point[]) {
  const last = points.slice(-RECENT);
  const answered = last.filter(({ p50Ms }) => p50Ms > 0);
  const mean = (values: number[]) =>
    values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  const ms = (value: number | null) => (value === null ? '–' : latency(value));
  return {
    rate: amount(mean(last.map(({ requests }) => requests)) ?? 0),
    p50: ms(mean(answered.map(({ p50Ms }) => p50Ms))),
    p99: ms(answered.length > 0 ? Math.max(...answered.map(({ p99Ms }) => p99Ms)) : null),
    errors: points.reduce((sum, { errors }) => sum + errors, 0),
  };
}

/**
 * How much of what may come from memory does so, over the seconds that the chart shows: a flip empties the memory, and the
 * last ten seconds alone would say little of a quiet site.
 *
 * @returns a percentage, or `–` where nothing was asked for
 */
export function hitRatio(points: Pick<Point, 'hits' | 'misses'>[]): string {
  const hits = points.reduce((sum, point) => sum + point.hits, 0);
  const all = points.reduce((sum, point) => sum + point.misses, hits);
  if (all === 0) return '–';
  const percent = (100 * hits) / all;
  // Neither end of the scale is said of what is only near it.
  if (percent > 99 && percent < 100) return `${(Math.floor(percent * 10) / 10).toFixed(1)} %`;
  return `${percent > 0 && percent < 1 ? '< 1' : Math.round(percent)} %`;
}

/** When visitors were moved, in milliseconds since 1970. */
export function flipTimes(history: HistoryEntry[]): number[] {
  return history.flatMap(({ outcome, startedAt, durationsMs }) => {
    if (outcome === 'failed') return [];
    const { build = 0, start = 0, check = 0, flip = 0 } = durationsMs;
    return [Date.parse(startedAt) + build + start + check + flip];
  });
}

/**
 * Columns as uPlot wants them: the times, then one column for each reading. A row of `null` stands where
 * seconds are missing, so that the line breaks there.
 */
export function columns(points: Point[], readings: ((point: Point) => number)[]) {
  const times: number[] = [];
  const values: (number | null)[][] = readings.map(() => []);
  let before = Number.POSITIVE_INFINITY;
  for (const point of points) {
    if (point.time - before >= GAP_MS) {
      times.push(before + 1);
      for (const column of values) column.push(null);
    }
    times.push(point.time);
    readings.forEach((read, index) => {
      values[index]?.push(read(point));
    });
    before = point.time;
  }
  return [times, ...values] as [number[], ...(number | null)[][]];
}

/** Where a value has none beside it: a line of one point has no length and would not be drawn. */
export function lonely(values: ArrayLike<number | null | undefined>): number[] {
  return Array.from(values).flatMap((value, index, all) =>
    value != null && all[index - 1] == null && all[index + 1] == null ? [index] : [],
  );
}

/** The next of 1, 2, 4, 6, 8, 10, 20 … */
export function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 6, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}

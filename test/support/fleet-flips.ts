/** When machines have flipped, by what their workers log when they do. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from './fleet.ts';

/** The issue asks for 200: `SLOTS_FLEET_FLIPS=200 npm run test:fleet`. */
export const FLIPS = Number(process.env.SLOTS_FLEET_FLIPS ?? 8);

export interface Flip {
  /** In milliseconds since 1970. */
  time: number;
  /** After the instant that the machines had agreed on, by this machine's own idea of it, in milliseconds. */
  lateMs: number;
}

/** Of a machine with one worker, from its first one on. */
export async function flipsOf({ env, name }: Machine): Promise<Flip[]> {
  const file = join(env.PM2_HOME ?? '', 'logs', `${name}-proxy-out.log`);
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.startsWith('{'));
  return lines
    .map((line) => JSON.parse(line) as Flip & { event?: string; msg: string })
    .filter(({ event, msg }) => event === 'worker.ack' && msg.startsWith('visitors go to'))
    .map(({ time, lateMs }) => ({ time, lateMs }));
}

/** From the first machine's flip to the last one's, for each flip, in milliseconds, the shortest first. */
export function spreadsOf(flips: readonly Flip[][]): number[] {
  const [first = []] = flips;
  const spreads = first.map((_, n) => {
    const times = flips.map((all) => all[n]?.time ?? 0);
    return Math.max(...times) - Math.min(...times);
  });
  return spreads.sort((a, b) => a - b);
}

export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** One line for a person: how even the flips were, and how late at worst. */
export function flipsText(what: string, flips: readonly Flip[][]): string {
  const spreads = spreadsOf(flips);
  const late = flips
    .flat()
    .map(({ lateMs }) => lateMs)
    .sort((a, b) => a - b);
  const of = (values: readonly number[]) =>
    `p50 ${quantile(values, 0.5)} ms, p99 ${quantile(values, 0.99)} ms, worst ${values.at(-1)} ms`;
  return `${spreads.length} flips of ${what}, first to last: ${of(spreads)}; after the instant: ${of(late)}`;
}

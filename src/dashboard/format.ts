/** How numbers and times read; the same words as the command line's. */
import { duration } from '../duration.ts';
import type { Trigger } from '../slots/trigger.ts';

/** @param ms of an answer, which is often below one */
export function latency(ms: number): string {
  if (ms > 0 && ms < 1) return '< 1 ms';
  return ms < 10 ? `${Number(ms.toFixed(1))} ms` : duration(ms);
}

/** One unit is enough where the number only gives an idea. */
export function roughly(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

export function ago(iso: string, now: number): string {
  const ms = now - Date.parse(iso);
  return ms < 2000 ? 'just now' : `${roughly(ms)} ago`;
}

export function bytes(count: number): string {
  return `${Math.round(count / 1024 / 1024)} MiB`;
}

/** Of what may be small: `0`, `12 KiB`, `3 MiB`. */
export function memory(count: number): string {
  if (count === 0) return '0';
  return count < 1024 * 1024 ? `${Math.ceil(count / 1024)} KiB` : bytes(count);
}

/** @returns `0`, `0.4`, `12`, `1.2 k` */
export function amount(value: number): string {
  if (value >= 1000) return `${(value / 1000).toFixed(1)} k`;
  return value > 0 && value < 10 ? String(Number(value.toFixed(1))) : String(Math.round(value));
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** @param changed what a release was built for */
export function changedFiles(changed: string[]): string {
  const [first, ...rest] = changed.filter((path) => path !== '');
  if (first === undefined) return '';
  return rest.length > 0 ? `${first} and ${rest.length} more` : first;
}

const TRIGGERS: Record<Trigger, string> = {
  edit: 'an edit',
  promote: 'ordered by hand',
  push: 'a push',
  start: 'found at the start',
  resume: 'edits made while paused',
  unsettled: 'files that changed during the build',
  restart: 'fresh processes',
  rollback: 'a rollback',
  fleet: 'another machine',
  build: 'built ahead',
  unknown: 'not recorded',
};

export function reasonOf(trigger: Trigger): string {
  return TRIGGERS[trigger];
}

/** @param text a line of build.log, which holds the colours of the build's own output */
export function withoutColours(text: string): string {
  return text.replaceAll('\t', '  ').replace(/\p{Cc}\[[0-9;?]*[ -/]*[@-~]|\p{Cc}/gu, '');
}

export { setTimeout as sleep } from 'node:timers/promises';

export function pick<T>(list: readonly T[]): T | undefined {
  return list[Math.floor(Math.random() * list.length)];
}

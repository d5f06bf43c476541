import { setTimeout as sleep } from 'node:timers/promises';
import type { APIRoute } from 'astro';
import { json, numberParam } from '../../lib/json';

/** An answer that takes its time, like a report from a database: `?ms=`, 1500 by default. */
export const GET: APIRoute = async ({ url }) => {
  const ms = numberParam(url, 'ms', 1500, 60_000);
  await sleep(ms);
  return json({ waitedMs: ms });
};

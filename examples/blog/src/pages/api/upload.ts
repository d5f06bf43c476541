import type { APIRoute } from 'astro';
import { json } from '../../lib/json';

/** Counts the bytes of a body of any size as they arrive, and keeps none of them. */
export const POST: APIRoute = async ({ request }) => {
  let bytes = 0;
  try {
    for await (const chunk of request.body ?? []) bytes += chunk.byteLength;
  } catch {
    // The client left half-way: its own doing, so no stack trace of ours in the log.
    return json({ error: 'the body broke off', bytes }, 400);
  }
  return json({ bytes });
};

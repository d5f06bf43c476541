import type { APIRoute } from 'astro';
import { json } from '../../lib/json';

/** Counts the bytes of a body of any size as they arrive, and keeps none of them. */
export const POST: APIRoute = async ({ request }) => {
  let bytes = 0;
  for await (const chunk of request.body ?? []) bytes += chunk.byteLength;
  return json({ bytes });
};

import type { APIRoute } from 'astro';
import { numberParam } from '../../lib/json';
import { clientPace } from '../../lib/node-response';

const MEBIBYTE = 1024 * 1024;

// Byte i of a download is i % 251, so a client can tell a missing or a doubled piece: 251 is prime, so
// no power of two hides one. The block holds whole rounds and can be sent again and again.
const ROUND = 251;
const block = Uint8Array.from({ length: ROUND * 256 }, (_, i) => i % ROUND);

/** `?bytes=` predictable bytes, 1 MiB by default and 64 MiB at most, as fast as the client takes them. */
export const GET: APIRoute = ({ request, url }) => {
  const bytes = numberParam(url, 'bytes', MEBIBYTE, 64 * MEBIBYTE);
  const pace = clientPace(request.signal);
  let left = bytes;

  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await pace();
        if (left > 0) controller.enqueue(block.subarray(0, left));
        left -= block.length;
        if (left <= 0) controller.close();
      },
    },
    { highWaterMark: 0 },
  );

  return new Response(body, {
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(bytes),
      'cache-control': 'no-store',
    },
  });
};

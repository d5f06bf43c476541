import type { APIRoute } from 'astro';

/** The server's time as server-sent events: one at once, then one a second until the client leaves. */
export const GET: APIRoute = ({ request }) => {
  let timer: NodeJS.Timeout | undefined;
  const stop = () => clearInterval(timer);
  const encoder = new TextEncoder();

  const events = new ReadableStream<Uint8Array>({
    start(controller) {
      let id = 0;
      const tick = () => {
        id += 1;
        const data = JSON.stringify({ time: new Date().toISOString() });
        controller.enqueue(encoder.encode(`id: ${id}\nevent: tick\ndata: ${data}\n\n`));
      };
      tick();
      timer = setInterval(tick, 1000);
      request.signal.addEventListener('abort', stop, { once: true });
    },
    cancel: stop,
  });

  return new Response(events, {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
  });
};

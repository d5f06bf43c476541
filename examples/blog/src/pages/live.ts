import type { APIRoute } from 'astro';

/** What a plain request to the WebSocket's address gets; upgrades never come this far (lib/live.ts). */
export const GET: APIRoute = () =>
  new Response('This address speaks WebSocket only.\n', {
    status: 426,
    headers: { upgrade: 'websocket', connection: 'Upgrade' },
  });

import { expect, test } from 'vitest';
import { startOrigin, startPlane } from '../../support/plane.ts';

test.each([
  ['a visitor of the proxy itself', {}, 'http://localhost:PROXY/next'],
  [
    'a visitor behind TLS of a trusted proxy',
    { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'example.com' },
    'https://example.com/next',
  ],
])(
  "a redirect to the slot's own address leads %s back to where they came from",
  async (_who, headers, right) => {
    const site = await startOrigin((request, response) => {
      const own = `http://localhost:${request.socket.localPort}`;
      response.writeHead(307, {
        Location: `${own}/next`,
        'Content-Location': `${own}/next`,
        Refresh: `1; url=${own}/next`,
        'X-Other': own,
      });
      response.end();
    });
    const { port } = await startPlane({ blue: site.port });
    const answer = await fetch(`http://localhost:${port}/`, { headers, redirect: 'manual' });
    const expected = right.replace('PROXY', String(port));
    expect(answer.headers.get('location')).toBe(expected);
    expect(answer.headers.get('content-location')).toBe(expected);
    expect(answer.headers.get('refresh')).toBe(`1; url=${expected}`);
    expect(answer.headers.get('x-other')).toBe(`http://localhost:${site.port}`);
  },
);

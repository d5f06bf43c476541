/** Plain http-proxy-3 as its README has it, with a keep-alive agent. */
import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'http-proxy-3';

const proxy = createProxyServer({
  target: `http://127.0.0.1:${process.env.ORIGIN}`,
  agent: new Agent({ keepAlive: true, maxSockets: 1024, maxFreeSockets: 128 }),
  xfwd: true,
});
proxy.on('error', (_error, _request, response) => response.destroy());
createServer((request, response) => proxy.web(request, response)).listen(
  Number(process.env.PORT),
  '127.0.0.1',
);

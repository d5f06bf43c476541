import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { listenHost } from '../../src/config/listen-host.ts';

const IPV4 = { address: '127.0.0.1', family: 'IPv4' as const };
const IPV6 = { address: '::1', family: 'IPv6' as const };

test('the default host is every IPv4 address where there is no IPv6', () => {
  expect(listenHost('::', { lo: [IPV4] } as never)).toBe('0.0.0.0');
  expect(listenHost('::', { lo: [IPV4, IPV6] } as never)).toBe('::');
});

test('a host that somebody has chosen is listened on as it is', () => {
  for (const host of ['127.0.0.1', '0.0.0.0', '::1', 'localhost']) {
    expect(listenHost(host, { lo: [IPV4] } as never)).toBe(host);
  }
});

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.family === 'IPv6');

test.runIf(hasIpv6)('the default host is reached over IPv4 and over IPv6', async () => {
  const server = createServer((socket) => socket.destroy());
  onTestFinished(() => void server.close());
  server.listen(0, listenHost('::'));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const host of ['127.0.0.1', '::1']) await once(connect(port, host), 'connect');
});

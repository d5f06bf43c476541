import { onTestFinished } from 'vitest';
import { listenOnControlSocket } from '../../src/controller/control-socket.ts';
import type { SitePaths } from '../../src/slots/paths.ts';
import { freePorts } from './free-ports.ts';
import { tempSite } from './temp-site.ts';

export function closeLater<T extends { close(): unknown }>(server: T): T {
  onTestFinished(() => void server.close());
  return server;
}

export async function siteWithPort() {
  const [port = 0] = await freePorts(1);
  return { paths: await tempSite(), port };
}

export const answerHealth = (_request: unknown, response: { end(body: string): void }) =>
  response.end(JSON.stringify({ ok: true, pid: process.pid }));

export async function listen(paths: SitePaths, onWorker: (pid: number) => void = () => {}) {
  const server = await listenOnControlSocket(paths, answerHealth, (socket, pid) => {
    onWorker(pid);
    socket.destroy();
  });
  return closeLater(server);
}

import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type AppRole, appName } from '../../config/ecosystem.ts';
import { listenHost } from '../../config/listen-host.ts';
import { daemonPid } from '../../pm2-daemon.ts';
import { runSocketOwners } from '../../slots/run-socket.ts';
import { type Check, ok, problem } from './check.ts';
import type { Facts } from './facts.ts';
import { type PortOwner, portOwner } from './port-owner.ts';

/** A process that starts listens on its port first, and says then whose it is. */
const LOOKS = 3;
const LOOK_INTERVAL_MS = 200;

interface Port {
  key: string;
  port: number;
  host: string;
  role: AppRole;
}

/** Each port is free, or ours, or somebody's. */
export function checkPorts(facts: Facts): Promise<Check[]> {
  return Promise.all(portsOf(facts).map((port) => checkPort(facts, port)));
}

function portsOf({ config: { ports, host, hosts, proxy, admin } }: Facts): Port[] {
  const local = '127.0.0.1';
  const redirect = proxy.tls?.redirectHttp;
  const own: Port[] = [
    { key: 'ports.proxy', port: ports.proxy, host, role: 'proxy' },
    ...(redirect
      ? [{ key: 'proxy.tls.redirectHttp', port: redirect, host, role: 'proxy' as const }]
      : []),
  ];
  return [
    // The public ports of a site with `hosts` are the front's.
    ...(hosts ? [] : own),
    { key: 'ports.blue', port: ports.blue, host: local, role: 'blue' },
    { key: 'ports.green', port: ports.green, host: local, role: 'green' },
    { key: 'ports.admin', port: ports.admin, host: admin.host, role: 'watcher' },
  ];
}

async function checkPort(facts: Facts, { key, port, host, role }: Port): Promise<Check> {
  const error = await tryToListen(port, host);
  if (error === null) return ok(key, `${port} is free`);
  if (error.code === 'EADDRINUSE') return checkTaken(facts, { key, port, host, role });
  if (error.code === 'EACCES') {
    const hint = `let Node bind it: sudo sysctl net.ipv4.ip_unprivileged_port_start=${port}, or use another port`;
    return problem(key, `this user may not listen on ${port}`, hint);
  }
  const hostKey = role === 'watcher' ? 'admin.host' : 'host';
  const hint = `correct "${hostKey}": it is an address of this machine, or :: for all`;
  return problem(key, `cannot listen on ${host}:${port}: ${error.code}`, hint);
}

async function checkTaken(facts: Facts, { key, port, role }: Port): Promise<Check> {
  const app = appName(facts.config, role);
  let owner = await portOwner(port);
  for (let look = 1; !(await isOurs(facts, role, owner)); look++) {
    if (look === LOOKS) return takenBy(owner, { key, port });
    await delay(LOOK_INTERVAL_MS);
    owner = await portOwner(port);
  }
  return ok(key, `${port} is ours: ${app}`);
}

function takenBy(owner: PortOwner | null, { key, port }: Pick<Port, 'key' | 'port'>): Check {
  const who = owner ? `process ${owner.pid} (${owner.command})` : "another user's program";
  return problem(key, `${port} is taken by ${who}`, `end that program, or set another "${key}"`);
}

async function isOurs(facts: Facts, role: AppRole, owner: PortOwner | null): Promise<boolean> {
  if (isKnown(facts, role, owner)) return true;
  // A promotion has started it since PM2 was asked, or it has outlived the daemon that did.
  const serving = await runSocketOwners(facts.paths.run, `(?:tcp)?${role}`);
  return serving.some(({ pid }) => pid === owner?.pid);
}

/** The daemon itself holds the ports of its cluster apps. */
function isKnown(
  { apps, config, paths, controllerPid }: Facts,
  role: AppRole,
  owner: PortOwner | null,
): boolean {
  const ours = (apps.get(appName(config, role)) ?? []).filter(({ root }) => root === paths.root);
  const online = ours.filter(({ status }) => status === 'online' || status === 'launching');
  if (role === 'watcher' && owner) return owner.pid === controllerPid;
  if (owner === null) return online.length > 0;
  return online.length > 0 && [daemonPid(), ...online.map(({ pid }) => pid)].includes(owner.pid);
}

export function tryToListen(port: number, host: string): Promise<NodeJS.ErrnoException | null> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen({ port, host: listenHost(host), exclusive: true }, () =>
      server.close(() => resolve(null)),
    );
  });
}

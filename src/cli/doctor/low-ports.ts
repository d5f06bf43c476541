/** Whether the front may listen below 1024, and each way to let it. */
import { readFile } from 'node:fs/promises';
import { daemonPid } from '../../pm2-daemon.ts';
import { hasNetBind } from '../low-port-capability.ts';
import { type Check, ok, problem, warning } from './check.ts';

export interface Privileges {
  /** `net.ipv4.ip_unprivileged_port_start`. */
  unprivilegedFrom: number;
  /** The capability is in effect in PM2's daemon, which starts the front; without one, in this process. */
  hasCapability: boolean;
  /** The systemd unit that PM2's daemon belongs to, for instance `pm2-me.service`. */
  unit: string | null;
  /** The Node that PM2's daemon, or else this process, runs. */
  node: string;
}

/** `null` where the kernel is not Linux. */
export async function privileges(): Promise<Privileges | null> {
  const pid = daemonPid() ?? process.pid;
  const read = (file: string) => readFile(file, 'utf8').catch(() => '');
  const [from, status, cgroup] = await Promise.all([
    read('/proc/sys/net/ipv4/ip_unprivileged_port_start'),
    read(`/proc/${pid}/status`),
    read(`/proc/${pid}/cgroup`),
  ]);
  if (status === '') return null;
  return {
    unprivilegedFrom: Number(from.trim() || 1024),
    hasCapability: hasNetBind(status),
    unit: unitOf(cgroup),
    node: process.execPath,
  };
}

/** @param cgroup the text of `/proc/<pid>/cgroup` */
export function unitOf(cgroup: string): string | null {
  const units = [...cgroup.matchAll(/([^/\s:]+\.service)(?=\/|$)/gm)].map(([, unit]) => unit);
  // A user's own manager is the unit of all that runs in a session.
  return units.findLast((unit) => !/^user@\d+\.service$/.test(unit as string)) ?? null;
}

/** What is found of these ports, and, where they are forbidden, every way out. Pure. */
export function lowPorts(ports: readonly number[], privileges: Privileges): Check[] {
  const { unprivilegedFrom, hasCapability, unit, node } = privileges;
  const low = ports.filter((port) => port < unprivilegedFrom);
  const names = ports.join(' and ');
  if (low.length === 0) {
    const why = `net.ipv4.ip_unprivileged_port_start is ${unprivilegedFrom}`;
    return [ok('low-ports', `any user may listen on ${names}: ${why}`)];
  }
  if (hasCapability) {
    return [ok('low-ports', `PM2 may listen on ${names}: it has CAP_NET_BIND_SERVICE`)];
  }
  const lowest = Math.min(...low);
  return [
    problem('low-ports', `this user may not listen on ${low.join(' and ')}`, 'do one of these'),
    warning(
      'low-ports sysctl',
      `net.ipv4.ip_unprivileged_port_start is ${unprivilegedFrom}`,
      `for every user: echo net.ipv4.ip_unprivileged_port_start=${lowest} | sudo tee /etc/sysctl.d/50-slots.conf && sudo sysctl --system`,
    ),
    warning(
      'low-ports systemd',
      unit === null ? 'PM2 belongs to no systemd unit' : `${unit} gives PM2 no capability`,
      unit === null
        ? 'for PM2 alone: start it by a unit with AmbientCapabilities=CAP_NET_BIND_SERVICE (docs/operating.md)'
        : `for PM2 alone: sudo systemctl edit ${unit}, with AmbientCapabilities=CAP_NET_BIND_SERVICE under [Service], and restart it`,
    ),
    warning(
      'low-ports setcap',
      `${node} has no cap_net_bind_service`,
      `for all that this Node runs, and again after each update of it: sudo setcap cap_net_bind_service=+ep ${node}, then \`pm2 kill\` and \`slots up\``,
    ),
  ];
}

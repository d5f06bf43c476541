/** The capability to listen below `net.ipv4.ip_unprivileged_port_start` (capabilities(7)). */
import { readFile } from 'node:fs/promises';
import { daemonPid } from '../pm2-daemon.ts';

/** Bit of CAP_NET_BIND_SERVICE (linux/capability.h). */
const NET_BIND_SERVICE = 10n;

/** @param status the text of `/proc/<pid>/status` */
export function hasNetBind(status: string): boolean {
  const [, mask = '0'] = /^CapEff:\s*([0-9a-f]+)$/im.exec(status) ?? [];
  return ((BigInt(`0x${mask}`) >> NET_BIND_SERVICE) & 1n) === 1n;
}

/** Whether PM2's daemon has it, and so whatever it starts: by `AmbientCapabilities` of a systemd unit it does, and the person's shell does not. */
export async function daemonHasNetBind(): Promise<boolean> {
  const pid = daemonPid();
  if (pid === null) return false;
  return hasNetBind(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''));
}

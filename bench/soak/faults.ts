import type { AppRole } from '../../src/config/ecosystem.ts';
import { clientPorts } from '../../test/faults/connections.ts';
import type { PlainSite } from '../../test/support/plain-site.ts';
import { signalProcess } from '../../test/support/processes.ts';
import { until } from '../../test/support/until.ts';
import { pick, sleep } from './random.ts';

/** The requests that a fault may have cost, by physics. */
export interface Damage {
  /** Connections that the victim held: no more requests than that. */
  held: number;
  /** Of a proxy worker: the clients' ports. */
  ports: ReadonlySet<number>;
  /** Of an instance: what was at work in it fails soon after, whichever connection it came by. */
  at: number | null;
}

export interface Fault {
  name: string;
  /** Happens beside an edit that is being promoted. */
  inject(site: PlainSite): Promise<Damage>;
}

const NONE: Damage = { held: 0, ports: new Set(), at: null };

/** A promotion of the plain site takes about so long, in milliseconds. */
const PROMOTION_MS = 1500;

async function victim(site: PlainSite, role: AppRole): Promise<number> {
  return until(async () => pick((await site.pids())[role]), `a process of ${role}`, 30_000);
}

/** Stops it first, so that what it holds does not change between the look and the kill. */
async function kill(site: PlainSite, role: AppRole, port: number) {
  const pid = await victim(site, role);
  signalProcess(pid, 'SIGSTOP');
  const ports = clientPorts(pid, port);
  signalProcess(pid, 'SIGKILL');
  return ports;
}

async function killInstance(site: PlainSite, which: 'active' | 'standby'): Promise<Damage> {
  const { active } = await site.status();
  const slot = (which === 'active') === (active === 'blue') ? 'blue' : 'green';
  const { size } = await kill(site, slot, site.ports[slot]);
  return { held: size, ports: new Set(), at: performance.now() };
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'controller killed',
    async inject(site) {
      await sleep(Math.random() * PROMOTION_MS);
      signalProcess(await victim(site, 'watcher'), 'SIGKILL');
      return NONE;
    },
  },
  {
    name: 'worker killed',
    async inject(site) {
      await sleep(Math.random() * PROMOTION_MS);
      const ports = await kill(site, 'proxy', site.ports.proxy);
      return { held: ports.size, ports, at: null };
    },
  },
  { name: 'active instance killed', inject: (site) => killInstance(site, 'active') },
  { name: 'standby instance killed', inject: (site) => killInstance(site, 'standby') },
  {
    name: 'build fails',
    async inject(site) {
      await site.behave({ buildExit: 3 });
      await sleep(PROMOTION_MS);
      await site.behave({});
      return NONE;
    },
  },
  {
    name: 'candidate crashes',
    async inject(site) {
      await site.behave({ crashAtStart: true });
      await sleep(PROMOTION_MS);
      await site.behave({});
      return NONE;
    },
  },
  {
    name: 'storm of edits',
    async inject(site) {
      const files = Array.from({ length: 300 }, (_, index) => `storm-${index % 50}.txt`);
      for (const file of files) await site.edit(file, String(Math.random()));
      return NONE;
    },
  },
  {
    name: 'rollback and resume',
    async inject(site) {
      await site.slots('rollback');
      await site.slots('resume');
      return NONE;
    },
  },
];

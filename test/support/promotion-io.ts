/**
 * What stands in for the modules at the controller's edge, so that its real stages, runner and machine can be led
 * through a promotion one act at a time. A test replaces the modules by these, and sets `io` for each run.
 */
import type { Config } from '../../src/config/schema.ts';
import type { BuildOrder } from '../../src/controller/build/build.ts';
import type { ProbeAnswer } from '../../src/controller/health/probe.ts';
import { SlotsError } from '../../src/errors.ts';
import type { SitePaths } from '../../src/slots/paths.ts';
import type { Release } from '../../src/slots/release.ts';
import type { Slot } from '../../src/slots/slot.ts';
import type { Steps } from './steps.ts';

export interface PromotionIo {
  steps: Steps;
  pointSlot(slot: Slot, release: string | null): Promise<void>;
  slotRelease(slot: Slot): string | null;
  /** The complete releases, the newest first. */
  releases(): string[];
  deleteRelease(id: string): void;
  /** A build reads the source. */
  read(): string;
  compile(id: string): Pick<Release, 'unsettled'>;
  probe(port: number): ProbeAnswer | Error;
}

let io: PromotionIo;

export function useIo(next: PromotionIo): void {
  io = next;
}

function releaseOf(id: string): Release {
  return {
    id,
    createdAt: '2026-01-02T03:04:05.000Z',
    trigger: 'edit',
    changed: [],
    commit: null,
    buildMs: 1,
    sourceHash: id,
    entry: 'server.mjs',
    unsettled: false,
  };
}

export const timers = {
  setTimeout: (ms: number, value?: unknown, options?: { signal?: AbortSignal }) =>
    io.steps.sleep(ms, value, options),
};

export const link = {
  pointSlot: (_paths: SitePaths, slot: Slot, release: string | null) => io.pointSlot(slot, release),
  slotRelease: async (_paths: SitePaths, slot: Slot) => io.slotRelease(slot),
};

export const release = {
  async readRelease(_paths: SitePaths, id: string): Promise<Release> {
    if (io.releases().includes(id)) return releaseOf(id);
    throw new SlotsError('RELEASE_UNKNOWN', `there is no release ${id}`);
  },
  listReleases: async () => io.releases().map(releaseOf),
  deleteRelease: async (_paths: SitePaths, id: string) => io.deleteRelease(id),
};

export const crashFile = {
  readCrash: async () => null,
  clearCrash: async () => {},
};

export const askedPorts = {
  readAskedPorts: async () => [],
  clearAskedPorts: async () => {},
};

export const history = {
  appendHistory: async () => {},
  readHistory: async () => [],
};

export const deps = { pruneDeps: async () => [] };

export const build = {
  async buildRelease(_config: unknown, _paths: unknown, order: BuildOrder): Promise<Release> {
    const { signal } = order;
    const id = await io.steps.wait('read', () => ({ value: io.read() }), { signal });
    await order.onNamed(id);
    return io.steps.wait('compile', () => ({ value: { ...releaseOf(id), ...io.compile(id) } }), {
      signal,
    });
  },
};

const tryProbeSlot = ({ ports }: Pick<Config, 'ports'>, slot: Slot) =>
  io.steps.wait<ProbeAnswer | Error>('probe', () => ({ value: io.probe(ports[slot]) }), {
    onFail: (error) => error,
  });

export const probe = {
  tryProbeSlot,
  tryProbeInstances: (config: Pick<Config, 'ports' | 'instances'>, _run: string, slot: Slot) =>
    Promise.all(Array.from({ length: config.instances }, () => tryProbeSlot(config, slot))),
};

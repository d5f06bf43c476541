/** Several machines, one flip: this machine's part in its fleet. Wires the parts; what they decide is in files of their own. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FleetConfig } from '../../config/fleet-schema.ts';
import { messageOf, SlotsError } from '../../errors.ts';
import type { State } from '../../slots/state.ts';
import type { FleetStanding } from '../../wire/assignment.ts';
import { instantNow } from '../../wire/instant.ts';
import type { MaintenanceSwitch } from '../maintenance.ts';
import { liveRelease } from '../promotion/roles.ts';
import type { StageContext } from '../promotion/stages/context.ts';
import type { Fleet } from './api.ts';
import { now } from './clock.ts';
import { createCommands } from './commands.ts';
import { type Core, ownEpoch } from './core.ts';
import { ending } from './ending.ts';
import { createFollower } from './follower.ts';
import { createLead } from './lead.ts';
import { createLease, type Lease } from './lease.ts';
import { createLink, type Link, type Said } from './link.ts';
import { addressOf, knownOfPeers } from './peers.ts';
import { whyNotReady } from './readiness.ts';
import type { Presence } from './records.ts';
import { createReleaseStore } from './releases.ts';
import { report } from './report.ts';
import { createSourceStore } from './source-store.ts';
import { createSources } from './sources.ts';

interface Parts {
  config: FleetConfig;
  context: StageContext;
  maintenance: MaintenanceSwitch;
  /** This machine has become ready or no longer is: the workers answer `/.slots/ready`. */
  onStanding(): void;
}

/** A flip that is due later than this is not waited for: some clock is wrong. In milliseconds. */
const MAX_LEAD_MS = 5000;

/** NATS's client has errors of many kinds; each of them means that the others cannot be asked. */
function asFleetError(error: unknown): SlotsError {
  if (error instanceof SlotsError) return error;
  return new SlotsError('FLEET_AWAY', `NATS failed meanwhile: ${messageOf(error)}`, {
    cause: error,
  });
}

export function createFleet({ config, context, maintenance, onStanding }: Parts): Fleet {
  const { store, log } = context;
  let heard = Promise.withResolvers<void>();
  let standing = '';
  /** The fleet's epoch whose flip is due, and when, by `instantNow()`. */
  let flip: { epoch: number; at: number } | null = null;
  /** Of a promotion that this machine alone could not finish: what it was made of is built again. */
  let again: string | null = null;

  const wake = () => {
    heard.resolve();
    heard = Promise.withResolvers();
  };

  let link: Link;
  const lease: Lease = createLease(config, () => link);
  link = createLink({ config, log, said, onChange: wake, renew: lease.renew });
  const objects = () => link.connection().objects;
  const sourceStore = createSourceStore(context.paths, config.group, objects);
  const core: Core = {
    config,
    context,
    maintenance,
    link,
    lease,
    releases: createReleaseStore(context.config, context.paths, objects),
    sources: createSources({
      config: context.config,
      paths: context.paths,
      log,
      sourceStore,
      read: context.source.read,
      hold: context.inbox.hold,
    }),
    sourceStore,
    nextChange: (ms) => Promise.race([heard.promise, delay(ms)]),
    serverNow: () => now() + (link.clock()?.offsetMs ?? 0),
  };
  const lead = createLead(core);
  const follower = createFollower(core);
  const commands = createCommands(core);

  function notReady(): string | null {
    return whyNotReady({
      fleet: store.state.fleet,
      live: liveRelease(store.state),
      isFailedOver: store.state.failedOverFrom !== null,
      refused: link.refused(),
      desired: link.view.desired?.value ?? null,
      serverNow: core.serverNow(),
      silentMs: link.silentMs(),
      ...config,
    });
  }

  function said(): Said {
    const { fleet } = store.state;
    return {
      address: config.address ?? addressOf(context.config, config.id),
      node: process.version,
      arch: process.arch,
      epoch: ownEpoch(core),
      release: liveRelease(store.state),
      builds: config.build === 'any',
      edited: lead.isEdited(),
      apart: fleet?.apart === true,
      notReady: notReady(),
      prepared: follower.prepared(),
      failed: follower.failure(),
      needs: follower.needs(),
    };
  }

  function currentStanding(): FleetStanding {
    const { fleet } = store.state;
    return {
      id: config.id,
      epoch: fleet?.epoch ?? 0,
      release: fleet?.release ?? null,
      notReady: notReady(),
      ...(config.monotonic && knownOfPeers(peerFacts())),
    };
  }

  function peerFacts() {
    return {
      id: config.id,
      epoch: ownEpoch(core),
      heard: link.view.heard.values(),
      desired: link.view.desired?.value.epoch ?? 0,
      isConnected: link.isConnected(),
      now: now(),
      leaseMs: config.leaseMs,
    };
  }

  /** A promotion that failed without anybody being told, since its controller was killed. */
  async function withdrawLost(): Promise<void> {
    const candidate = link.view.candidate?.value;
    if (candidate?.by !== config.id || candidate.withdrawn !== null) return;
    const { promotion, last } = store.state;
    const isRunning = promotion?.id === candidate.id && promotion.step !== 'put back';
    if (isRunning || candidate.epoch <= ownEpoch(core)) return;
    const why = last?.id === candidate.id && last.error ? last.error : `${config.id} gave it up`;
    await link.connection().fleet.put('candidate', { ...candidate, withdrawn: why });
  }

  async function look(): Promise<void> {
    if (link.isConnected()) {
      await commands.step();
      await follower.step();
      await withdrawLost();
      lead.retry();
    }
    const next = JSON.stringify(currentStanding());
    if (next === standing) return;
    standing = next;
    link.tell();
    onStanding();
  }

  async function run(): Promise<never> {
    for (;;) {
      const change = core.nextChange(config.leaseMs / 6);
      await look().catch((error) => {
        if (error instanceof SlotsError && error.code === 'FLEET_AWAY') return;
        log.warn({ event: 'fleet.failed', error: messageOf(error) }, messageOf(error));
      });
      await change;
    }
  }

  /** What has become of a promotion of the fleet, from one state to the next. */
  async function onState(before: State, after: State): Promise<void> {
    const end = ending(before, after);
    if (end === null) return;
    const { promotion } = end;
    if (end.is === 'flipped') {
      follower.flipped();
      if (promotion.fleet?.role === 'lead') await lead.flipped();
    } else if (promotion.fleet?.role === 'lead') {
      await lead.over(promotion, end.why);
      if (again === promotion.id) context.source.askAgain();
    } else {
      follower.failed(promotion, end.why);
    }
    wake();
  }

  return {
    start() {
      let before = store.state;
      store.onChange((after) => {
        const was = before;
        before = after;
        onState(was, after).catch((error) =>
          log.warn({ event: 'fleet.failed', error: messageOf(error) }, messageOf(error)),
        );
      });
      link.start();
      void run();
    },
    async stop() {
      await lease.giveBack().catch(() => {});
      await link.stop();
    },
    admit: lead.admit,
    offer: lead.offer,
    async agree(promotion, signal) {
      const { fleet, id } = promotion;
      if (!fleet) return;
      const part = fleet.role === 'lead' ? lead : follower;
      const flipAt = await part.agree(promotion, signal).catch((thrown) => {
        signal.throwIfAborted();
        const error = asFleetError(thrown);
        // Nothing is wrong with the edit.
        if (error.code === 'FLEET_AWAY' || error.code === 'FLEET_OVERTAKEN') again = id;
        throw error;
      });
      const ms = flipAt - core.serverNow();
      flip = ms < MAX_LEAD_MS ? { epoch: fleet.epoch, at: instantNow() + ms } : null;
    },
    flipAt() {
      const { promotion } = store.state;
      const isDue = promotion?.step === 'flip' && promotion.fleet?.epoch === flip?.epoch;
      return flip !== null && isDue ? flip.at : null;
    },
    async lead(order) {
      const led = await lead.takeLead(order);
      if (order.trigger === 'rollback') await commands.setPaused(true);
      return led;
    },
    setPaused: commands.setPaused,
    setMaintenance: commands.setMaintenance,
    purge: commands.purge,
    report: () => {
      const self: Presence = { ...said(), id: config.id, run: link.run, clock: link.clock() };
      return report({
        config,
        view: link.view,
        self,
        isConnected: link.isConnected(),
        problem: lead.problem() ?? link.problem() ?? follower.problem(),
        paused: store.state.paused,
        now: now(),
        serverNow: core.serverNow(),
      });
    },
    standing: currentStanding,
  };
}

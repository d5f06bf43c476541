/** Leading the fleet to another release: who has an edit takes the lease, builds, and asks the others whether they are ready. */
import { SlotsError } from '../../errors.ts';
import { currentCommit, readRelease } from '../../slots/release.ts';
import type { Candidate, Promotion } from '../../slots/state.ts';
import type { Order } from '../promotion/order.ts';
import { agreement, flipTime } from './agreement.ts';
import { now } from './clock.ts';
import { type Core, isAhead, isBehind, ownEpoch } from './core.ts';
import type { Files } from './merge.ts';
import { prune } from './prune.ts';
import type { FleetCandidate } from './records.ts';
import { isUntrusted } from './source-store.ts';
import { conflictText, filesOf } from './sources.ts';
import { currentBuilder, liveMachines } from './view.ts';

export interface Lead {
  admit(order: Order): Promise<Order | null>;
  /** Takes up what waits, when it can. */
  retry(): void;
  takeLead(order: Order): Promise<Order>;
  offer(promotion: Promotion): void;
  /** @returns when to flip, by the server's clock */
  agree(promotion: Candidate, signal: AbortSignal): Promise<number>;
  /** The promotion that this machine leads has flipped. */
  flipped(): Promise<void>;
  /** It has failed, or come to nothing. */
  over(promotion: Promotion, why: string): Promise<void>;
  /** An edit waits here. */
  isEdited(): boolean;
  /** Why an edit is not promoted, in one line, or `null`. */
  problem(): string | null;
}

export function createLead(core: Core): Lead {
  const { config, context, link, lease, releases, sources } = core;
  const { store, log, inbox, paths } = context;
  /** What waits for the lease. */
  let waiting: Order | null = null;
  /** An edit that is held back until somebody does something about it. */
  let held: string | null = null;
  /** What all served when it was held back: with the next release the files may fit again. */
  let heldAt: string | null = null;
  let offered: { id: string; done: Promise<void> } | null = null;

  const wait = (order: Order): null => {
    // What somebody ordered is not forgotten for an edit that comes after it.
    if (waiting?.trigger !== 'promote') waiting = order;
    link.tell();
    return null;
  };

  const isRunning = () => store.state.promotion?.fleet !== undefined;

  async function admit(order: Order): Promise<Order | null> {
    const isOwn = order.kind === 'restart' || order.trigger === 'rollback';
    if (order.fleet && order.fleet.role !== 'lead' && store.state.fleet?.apart) {
      const why = `${config.id} was rolled back by itself meanwhile`;
      order.onRefused?.(new SlotsError('FLEET_OVERTAKEN', why));
      return null;
    }
    if (order.fleet || isOwn) return order;
    if (config.build === 'never' && order.kind === 'build') return null;
    if (!link.isConnected() || isBehind(core) || isAhead(core)) return wait(order);
    if (order.kind === 'release' && ownEpoch(core) > 0) return null;
    if (order.kind === 'build' && !(await isOurs(order))) return null;
    if (!(await lease.take().catch(() => false))) return wait(order);
    if (lease.epoch() > ownEpoch(core)) {
      await lease.giveBack();
      return wait(order);
    }
    return led(order);
  }

  function led(order: Order): Order {
    const previous = store.state.fleet ?? null;
    return { ...order, fleet: { epoch: lease.epoch() + 1, role: 'lead', previous } };
  }

  /** Whether the edit is one of what all serve. One that is not would undo another machine's. */
  async function isOurs(order: Order): Promise<boolean> {
    const { trigger } = order;
    held = null;
    const release = link.view.desired?.value.release ?? null;
    if (trigger === 'promote' || trigger === 'unsettled') return true;
    const isBack = link.view.desired?.value.rollback === true;
    const standing = await sources.standing(isBack ? null : release).catch((error) => {
      if (isUntrusted(error)) [held, heldAt] = [error.message, release];
      else wait(order);
      return null;
    });
    // Nobody knows what the others have edited, so nothing may be built over it.
    if (standing === null) return false;
    if (standing.is === 'conflict') {
      held = conflictText(standing, release);
      heldAt = release;
      log.error({ event: 'fleet.conflict', files: standing.files.slice(0, 20) }, held);
      link.tell();
      return false;
    }
    // What was rolled back is in the files of all, and none of the last release's.
    if (standing.is === 'edited' || release === null || isBack) return true;
    // A push may change what is not watched: then the commit tells.
    if (trigger !== 'push') return false;
    const live = await readRelease(paths, release).catch(() => null);
    return live?.commit !== (await currentCommit(paths.root));
  }

  function retry(): void {
    if (!link.isConnected() || isRunning()) return;
    const serves = link.view.desired?.value.release ?? null;
    if (held !== null && heldAt !== serves && serves === store.state.fleet?.release) {
      held = null;
      inbox.lookForChanges('edit');
    }
    if (waiting === null) return;
    if (isBehind(core) || isAhead(core)) return;
    const builder = currentBuilder(link.view, now(), config.leaseMs);
    if (builder !== null && builder.run !== link.run) return;
    const order = waiting;
    waiting = null;
    const isLook =
      order.kind === 'build' && order.trigger !== 'promote' && order.trigger !== 'push';
    if (isLook) inbox.lookForChanges(order.trigger);
    else inbox.order(order);
  }

  async function put(candidate: FleetCandidate): Promise<void> {
    await link.connection().fleet.put('candidate', candidate);
  }

  function candidateOf({ id, release, fleet, trigger }: Promotion): FleetCandidate {
    return {
      id,
      epoch: fleet?.epoch ?? 0,
      release: release as string,
      by: config.id,
      rollback: trigger === 'rollback',
      withdrawn: null,
    };
  }

  async function publish(promotion: Promotion): Promise<void> {
    const release = promotion.release as string;
    await releases.publish(release);
    const files = await filesOfRelease(release);
    if (files && promotion.kind === 'build') await sources.publish(release, files);
    if (!lease.isHeld()) return;
    await put(candidateOf(promotion));
  }

  /** The files that the release was built from, as far as anybody knows. */
  async function filesOfRelease(release: string): Promise<Files | null> {
    const built = context.source.filesOf(release);
    if (built) return built;
    const [source, { sourceHash }] = [
      await context.source.read(),
      await readRelease(paths, release),
    ];
    return source.hash === sourceHash ? filesOf(source) : null;
  }

  function offer(promotion: Promotion): void {
    if (promotion.fleet?.role !== 'lead' || offered?.id === promotion.id) return;
    const done = publish(promotion);
    // Met where it is waited for.
    done.catch(() => {});
    offered = { id: promotion.id, done };
  }

  /** After a restart of the controller the lease has run out. */
  async function keepLease(epoch: number): Promise<'kept' | 'taken anew'> {
    if (lease.isHeld()) return 'kept';
    const isTaken = await lease.take();
    if (isTaken && lease.epoch() + 1 === epoch) return 'taken anew';
    const who = currentBuilder(link.view, now(), config.leaseMs)?.id;
    throw new SlotsError('FLEET_OVERTAKEN', `${who ?? 'another machine'} leads the fleet now`);
  }

  async function agree(promotion: Candidate, signal: AbortSignal): Promise<number> {
    const epoch = promotion.fleet?.epoch ?? 0;
    const candidate = candidateOf(promotion);
    offer(promotion);
    await offered?.done;
    let offeredAt = now();
    let lookedAt = now();
    for (;;) {
      signal.throwIfAborted();
      if (link.silentMs() > 2 * config.leaseMs) link.connection();
      if (link.isConnected()) {
        if ((await keepLease(epoch)) === 'taken anew') {
          await publish(promotion);
          offeredAt = now();
        }
        // A process that was stopped has heard nobody meanwhile, and what they said waits in its socket.
        if (now() - lookedAt > config.leaseMs / 2) await hearAgain();
        lookedAt = now();
        const heard = [...link.view.heard.values()];
        const question = { candidate, epoch: epoch - 1, heard, self: config.id, offeredAt };
        const answer = agreement({ ...question, ...config, now: now() });
        if (answer.is === 'failed') throw new SlotsError('FLEET_NOT_PREPARED', answer.why);
        if (answer.is === 'agreed') return await commit(candidate, answer.members);
      }
      await core.nextChange(config.leaseMs / 6);
    }
  }

  async function hearAgain(): Promise<void> {
    for (const one of link.view.heard.values()) one.at = now();
    await core.nextChange(config.leaseMs / 2);
  }

  async function commit(candidate: FleetCandidate, members: string[]): Promise<number> {
    const { epoch, release, by, rollback } = candidate;
    const live = liveMachines(link.view, now(), config.leaseMs);
    const errors = live.map(({ presence }) => presence.clock?.errorMs ?? 0);
    const flipAt = flipTime(core.serverNow(), errors);
    if (await lease.commit({ epoch, release, by, rollback, members, flipAt })) return flipAt;
    throw new SlotsError('FLEET_OVERTAKEN', 'another machine has taken the lead');
  }

  return {
    admit,
    retry,
    offer,
    agree,
    async takeLead(order) {
      await lease.steal();
      waiting = null;
      return led(order);
    },
    async flipped() {
      await prune(core).finally(() => lease.giveBack().catch(() => {}));
    },
    async over(promotion, why) {
      if (promotion.release !== null && lease.isHeld()) {
        await put({ ...candidateOf(promotion), withdrawn: why }).catch(() => {});
      }
      await lease.giveBack().catch(() => {});
    },
    isEdited: () => waiting !== null || held !== null,
    problem() {
      if (held !== null) return held;
      if (waiting === null) return null;
      if (!link.isConnected()) return `an edit waits for NATS: ${link.problem() ?? 'it is silent'}`;
      const builder = currentBuilder(link.view, now(), config.leaseMs);
      return builder && builder.run !== link.run ? `an edit waits for ${builder.id}` : null;
    },
  };
}

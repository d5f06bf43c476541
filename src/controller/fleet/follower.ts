/** Following the fleet: fetches what another machine has built, prepares it, flips with the others or catches up with them. */
import { randomUUID } from 'node:crypto';
import { messageOf, SlotsError } from '../../errors.ts';
import { readRelease } from '../../slots/release.ts';
import type { Candidate, FleetState, Promotion } from '../../slots/state.ts';
import { adopt } from '../promotion/machine.ts';
import { liveRelease } from '../promotion/roles.ts';
import { now } from './clock.ts';
import type { Core } from './core.ts';
import { type Move, memberVerdict, nextMove } from './follow.ts';
import { desiredSchema } from './records.ts';
import { liveMachines } from './view.ts';

type Promote = Extract<Move, { do: 'promote' }>;

export interface Follower {
  /** Does what the fleet wants now, if anything. */
  step(): Promise<void>;
  /** @returns when to flip, by the server's clock */
  agree(promotion: Candidate, signal: AbortSignal): Promise<number>;
  flipped(): void;
  failed(promotion: Promotion, why: string): void;
  prepared(): string | null;
  failure(): { id: string; why: string } | null;
  needs(): string | null;
  /** Why this machine does not serve what all serve, in one line, or `null`. */
  problem(): string | null;
}

/** After a failure to catch up, in milliseconds; each next one waits twice as long. */
const RETRY_MS = 2000;
const MAX_RETRY_MS = 60_000;

export function createFollower(core: Core): Follower {
  const { config, context, link, releases, sources } = core;
  const { store, log, inbox, paths } = context;
  const refused = new Set<string>();
  let prepared: string | null = null;
  let failure: { id: string; why: string } | null = null;
  let needs: string | null = null;
  let problem: string | null = null;
  /** Fetched or ordered, and not running yet. */
  let queued: string | null = null;
  /** The release that could not be had or started, and when to try again. */
  let retry = { release: '', at: 0, ms: RETRY_MS };
  /** The release whose source was taken over last. */
  let taken: string | null = null;
  const givenBack = new Set<string>();

  async function step(): Promise<void> {
    if (!link.isConnected()) return;
    const { desired, candidate } = link.view;
    const { promotion, fleet } = store.state;
    const busyWith = queued ?? (promotion?.fleet ? promotion.release : null);
    const live = liveRelease(store.state);
    const goesApart = promotion?.trigger === 'rollback' && promotion.fleet === undefined;
    const own = { id: config.id, fleet, live, busyWith, goesApart, refused };
    const move = nextMove(own, desired?.value ?? null, candidate?.value ?? null);
    if (move.do === 'put back') await putBack(move.fleet);
    if (move.do === 'adopt' && promotion === null) await take(move);
    if (move.do === 'promote' && (move.release !== retry.release || now() >= retry.at)) {
      promote(move);
    }
    await takeSource();
    await giveBack();
  }

  async function take(move: Extract<Move, { do: 'adopt' }>): Promise<void> {
    const { epoch, release, rollback } = move;
    const fleet = { epoch, release, ...(rollback && { rollback }) };
    await store.update((state) => adopt(state, fleet));
    log.info({ event: 'fleet.epoch', epoch, release }, `all serve ${release}, epoch ${epoch}`);
  }

  /** Of several machines the one with the highest epoch is right: whoever has a higher one writes it over. */
  async function putBack({ epoch, release, rollback = false }: FleetState): Promise<void> {
    const { fleet } = link.connection();
    const found = await fleet.get('desired');
    const parsed = desiredSchema.safeParse(found?.value);
    if (parsed.success && parsed.data.epoch >= epoch) return;
    const record = { epoch, release, by: config.id, rollback, members: [], flipAt: 0 };
    const fence = parsed.success ? parsed.data.fence : 0;
    const revision = await fleet.set('desired', { ...record, fence }, found?.revision ?? null);
    if (revision === null) return;
    await fleet.put('edits', { paused: store.state.paused, by: config.id });
    const text = `NATS had lost what all serve: put back ${release}, epoch ${epoch}`;
    log.warn({ event: 'fleet.put-back', epoch, release }, text);
  }

  function promote(move: Promote): void {
    const { release, candidate } = move;
    queued = release;
    order(move).catch((error) => {
      const why = messageOf(error);
      if (candidate === null) problem = `${release}, which all serve, cannot be had: ${why}`;
      const code = error instanceof SlotsError ? error.code : null;
      const isLost = code === 'FLEET_NO_RELEASE';
      // What all serve may be from before the group had a key.
      if (isLost || (code === 'SIGNATURE_BAD' && candidate === null)) needs = release;
      log.error({ event: 'fleet.not-prepared', release, error: why }, `${release}: ${why}`);
      queued = null;
      if (candidate !== null && !isLost) refuse(candidate, why);
      else later(release);
      link.tell();
    });
  }

  function refuse(id: string, why: string): void {
    refused.add(id);
    failure = { id, why };
    link.tell();
  }

  function later(release: string): void {
    const ms = release === retry.release ? Math.min(MAX_RETRY_MS, 2 * retry.ms) : RETRY_MS;
    retry = { release, at: now() + ms, ms };
  }

  async function order({ release, epoch, role, rollback, candidate }: Promote): Promise<void> {
    await releases.fetch(release);
    needs = null;
    problem = null;
    const previous = store.state.fleet ?? null;
    inbox.order({
      id: randomUUID(),
      kind: 'release',
      release,
      trigger: rollback ? 'rollback' : 'fleet',
      fleet: { epoch, role, previous },
      onRefused(error) {
        queued = null;
        if (candidate !== null) refuse(candidate, messageOf(error));
        else later(release);
      },
    });
  }

  async function agree(promotion: Candidate, signal: AbortSignal): Promise<number> {
    queued = null;
    const mine = { release: promotion.release, epoch: promotion.fleet?.epoch ?? 0 };
    const giveUpAt = now() + 2 * config.prepareMs;
    for (;;) {
      signal.throwIfAborted();
      const { desired, candidate } = link.view;
      const verdict = memberVerdict(mine, desired?.value ?? null, candidate?.value ?? null);
      if (verdict.is === 'flip') return verdict.at;
      if (verdict.is === 'over') throw new SlotsError('FLEET_NOT_PREPARED', verdict.why);
      if (now() > giveUpAt) {
        const waited = `nobody has said for ${2 * config.prepareMs} ms whether all flip`;
        throw new SlotsError('FLEET_AWAY', waited);
      }
      const id = candidate?.value.id ?? null;
      if (id !== prepared) {
        prepared = id;
        link.tell();
      }
      await core.nextChange(config.leaseMs / 6);
    }
  }

  /** The others' edits, so that this machine's next one does not undo them. */
  async function takeSource(): Promise<void> {
    const { fleet, promotion } = store.state;
    // What was rolled back stays in the files: whoever resumes wants it, or mends it.
    if (!fleet || fleet.apart || fleet.rollback) return;
    if (promotion || fleet.release === taken) return;
    taken = fleet.release;
    await sources.take(fleet.release).catch((error) => {
      taken = null;
      log.warn({ event: 'fleet.source-failed', error: messageOf(error) }, messageOf(error));
    });
  }

  /** A machine asks for a release that the store has lost, or that nobody has signed: the first that has it puts it there anew. */
  async function giveBack(): Promise<void> {
    const all = liveMachines(link.view, now(), config.leaseMs).map(({ presence }) => presence);
    for (const { needs: wanted } of all) {
      if (wanted === null || givenBack.has(wanted)) continue;
      const first = all.find(({ release }) => release === wanted);
      if (first?.id !== config.id || !(await readRelease(paths, wanted).catch(() => null)))
        continue;
      givenBack.add(wanted);
      void Promise.all([releases.publish(wanted), sources.renew(wanted)])
        .catch((error) => log.warn({ event: 'fleet.give-back' }, messageOf(error)))
        .finally(() => givenBack.delete(wanted));
    }
  }

  return {
    step,
    agree,
    flipped() {
      queued = null;
      retry = { release: '', at: 0, ms: RETRY_MS };
      prepared = null;
      link.tell();
    },
    failed({ fleet, release }, why) {
      queued = null;
      prepared = null;
      const candidate = link.view.candidate?.value;
      if (fleet?.role === 'member' && candidate?.epoch === fleet.epoch) refuse(candidate.id, why);
      else if (release !== null) later(release);
    },
    prepared: () => prepared,
    failure: () => failure,
    needs: () => needs,
    problem: () => problem,
  };
}

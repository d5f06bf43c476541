/** Waits until visitors get answers. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config/schema.ts';
import type { Status } from '../../controller/admin/status.ts';
import { type ProbeAnswer, tryProbe } from '../../controller/health/probe.ts';
import { judge } from '../../controller/health/verdict.ts';
import { SlotsError } from '../../errors.ts';
import type { Pm2 } from '../../pm2.ts';
import { homePaths } from '../../slots/home.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { callController, followController } from '../client.ts';
import { untilControllerAnswers } from '../controller-answers.ts';
import { fleetStuck } from '../fleet-stuck.ts';
import { publicAddress, untilServed } from '../front/registration.ts';
import { createProgress } from '../terminal/progress.ts';
import { workerFailure } from './worker-failure.ts';

const PROXY_TIMEOUT_MS = 20_000;
const LOOK_INTERVAL_MS = 50;

/** How often the workers' log is read while nobody answers, in milliseconds. */
const LOG_INTERVAL_MS = 1000;

interface Since {
  quiet: boolean;
  wasRunning: boolean;
  /** The controller that PM2 had lost. */
  lost: number | null;
  begun: number;
}

/** @returns why the first release did not become live, or `null` when visitors get answers */
export async function untilLive(
  pm2: Pm2,
  config: Config,
  paths: SitePaths,
  { quiet, wasRunning, lost, begun }: Since,
): Promise<SlotsError | null> {
  const progress = quiet ? null : createProgress();
  let isOrdered = false;
  let stuck: SlotsError | null = null;
  const over = new AbortController();
  try {
    await untilControllerAnswers(config, paths, lost);
    if (config.fleet) {
      const onStuck = (error: SlotsError) => {
        stuck = error;
        over.abort();
      };
      fleetStuck(paths, over.signal).then(onStuck, () => {});
    }
    for await (const event of followController(paths, over.signal)) {
      progress?.show(event);
      if (event.type !== 'status') continue;
      const { status } = event;
      if (status.slots[status.active].role === 'active') break;
      const failure = firstReleaseFailure(status, begun);
      if (failure) return failure;
      // A controller that has just started builds by itself, unless it is paused.
      // In a fleet what all serve comes first, and then its edits, which no newcomer may undo.
      if (
        config.fleet ||
        isOrdered ||
        status.promotion !== null ||
        !(wasRunning || status.watcher.paused)
      )
        continue;
      isOrdered = true;
      await callController(paths, 'POST', '/api/promote');
    }
    if (stuck) return stuck;
    progress?.say('waiting for the proxy');
    if (config.hosts) await untilServed(homePaths(), paths, config);
    const { maintenance } = await callController<Status>(paths, 'GET', '/api/status');
    await untilProxyAnswers(config, maintenance !== undefined, () =>
      workerFailure(pm2, config, begun),
    );
    return null;
  } finally {
    over.abort();
    progress?.end();
  }
}

/** @param since what failed before is no news, in milliseconds since 1970 */
function firstReleaseFailure({ last }: Status, since: number): SlotsError | null {
  if (last?.outcome !== 'failed' || Date.parse(last.finishedAt) < since) return null;
  const output =
    last.stage === 'build'
      ? '`slots logs build` shows the output'
      : '`slots logs` shows what its processes print';
  return new SlotsError('FIRST_RELEASE_FAILED', `no release is live: ${last.error}`, {
    hint: `mend it, then save or run \`slots up\` again, which builds; ${output}`,
  });
}

async function untilProxyAnswers(
  config: Config,
  isInMaintenance: boolean,
  whyNotStarted: () => Promise<SlotsError | null>,
): Promise<void> {
  const deadline = performance.now() + PROXY_TIMEOUT_MS;
  let logDue = performance.now() + LOG_INTERVAL_MS;
  const { path, timeoutMs, host } = config.health;
  const ask = () => {
    if (config.hosts) {
      const { port, isTls, listensOn, name } = publicAddress(homePaths(), config);
      return tryProbe(port, path, timeoutMs, isTls, listensOn, name);
    }
    const isTls = config.proxy.tls !== undefined;
    return tryProbe(config.ports.proxy, path, timeoutMs, isTls, config.host, host);
  };
  for (;;) {
    const answer = await ask();
    const verdict = judge(answer, null);
    // A 404 or 401 proves the site live: visitors get the same.
    if (verdict.is === 'well' || isClientError(answer)) return;
    if (isInMaintenance && !(answer instanceof Error)) return;
    if (performance.now() > logDue) {
      const failure = await whyNotStarted();
      if (failure) throw failure;
      logDue = performance.now() + LOG_INTERVAL_MS;
    }
    if (performance.now() > deadline) {
      const what = verdict.why;
      throw new SlotsError(
        'PROXY_SILENT',
        `the proxy on port ${config.ports.proxy} says: ${what}`,
        {
          hint: '`slots logs proxy` says why',
        },
      );
    }
    await delay(LOOK_INTERVAL_MS);
  }
}

function isClientError(answer: ProbeAnswer | Error): boolean {
  return !(answer instanceof Error) && answer.status >= 400 && answer.status < 500;
}

import { type AppRole, appName } from '../../config/ecosystem.ts';
import { duration } from '../../duration.ts';
import { SLOTS, type Slot } from '../../slots/slot.ts';
import { stageOf } from '../../slots/state.ts';
import { ago } from '../terminal/format.ts';
import { type Check, ok, problem, warning } from './check.ts';
import type { Facts } from './facts.ts';

const ROLES: AppRole[] = ['watcher', 'proxy', 'blue', 'green'];

/** An app that PM2 had to restart and that is younger than this may be in a loop. */
const LOOP_UPTIME_MS = 60_000;

export function checkApps(facts: Facts): Check[] {
  const { config, apps } = facts;
  // The front is looked at by itself.
  const roles = config.hosts ? ROLES.filter((role) => role !== 'proxy') : ROLES;
  const names = roles.map((role) => appName(config, role));
  if (names.some((name) => apps.has(name))) return roles.map((role) => checkApp(facts, role));
  const message = 'nothing of this site runs';
  // Before a first `slots up` that is as it should be.
  if (facts.state.active === null) return [ok('apps', `${message}; \`slots up\` starts it`)];
  return [warning('apps', message, 'start it with `slots up`')];
}

function checkApp({ config, apps, paths, state }: Facts, role: AppRole): Check {
  const name = appName(config, role);
  const instances = apps.get(name) ?? [];
  const foreign = instances.find(({ root }) => root !== paths.root);
  if (foreign) {
    const message = `is an app of ${foreign.root ?? 'another program'}`;
    return problem(name, message, 'set another "name" in slots.config.ts');
  }
  const isSlot = role === 'blue' || role === 'green';
  if (isSlot && state.slots[role].release === null) return ok(name, 'has no release yet');
  const logs = `\`slots logs ${role}\` says why; \`slots up\` starts what does not run`;
  const online = instances.filter(({ status }) => status === 'online');
  if (online.length === 0) {
    const how = instances[0]?.status ?? 'not known to PM2';
    const say = isSlot && state.active !== role ? warning : problem;
    return say(name, `does not run (${how})`, logs);
  }
  const said = `${online.length} of ${instances.length} processes`;
  if (online.length < instances.length) {
    return warning(name, `${said} run; the others are ${statuses(instances)}`, logs);
  }
  const uptimeMs = Math.min(...online.map((instance) => instance.uptimeMs));
  const restarts = Math.max(...online.map((instance) => instance.restarts));
  const message = `${said}, up ${duration(uptimeMs)}`;
  // Promotions restart the slots; nothing restarts these.
  if (!isSlot && restarts > 1 && uptimeMs < LOOP_UPTIME_MS) {
    return warning(
      name,
      `${message}, restarted ${restarts} times`,
      `\`slots logs ${role}\` says why`,
    );
  }
  return ok(name, message);
}

function statuses(instances: { status: string }[]): string {
  const others = instances.map(({ status }) => status).filter((status) => status !== 'online');
  return [...new Set(others)].join(', ');
}

export function checkController({ controllerPid, status, apps, config }: Facts): Check[] {
  if (controllerPid !== null && status) return [ok('controller', `answers, pid ${controllerPid}`)];
  if (controllerPid !== null) {
    const hint = `pm2 restart ${appName(config, 'watcher')}: visitors do not notice`;
    return [problem('controller', `pid ${controllerPid} is slow to say its status`, hint)];
  }
  if (!apps.has(appName(config, 'watcher'))) return [];
  const message = 'does not answer: no edit is promoted';
  return [problem('controller', message, '`slots logs watcher` says why')];
}

/** A worker that has not acknowledged the epoch still sends visitors by an older one. */
export function checkWorkers({ status, config }: Facts): Check[] {
  if (!status) return [];
  const { epoch, proxy, promotion } = status;
  const behind = proxy.workers.filter((worker) => worker.epoch !== epoch);
  if (behind.length > 0) {
    const pids = behind.map(({ pid }) => pid).join(', ');
    const say = promotion ? warning : problem;
    const hint = 'PM2 restarts it within seconds; `slots logs proxy` says more';
    return [say('workers', `${pids} did not acknowledge epoch ${epoch}`, hint)];
  }
  if (config.hosts && proxy.workers.length > 0) {
    const front = `${proxy.workers.length} of the front acknowledged epoch ${epoch}`;
    return [ok('workers', front)];
  }
  const message = `${proxy.workers.length} of ${config.proxy.workers} acknowledged epoch ${epoch}`;
  if (proxy.workers.length >= config.proxy.workers) return [ok('workers', message)];
  const hint = '`slots logs proxy` says why the others are missing';
  return [(proxy.workers.length === 0 ? problem : warning)('workers', message, hint)];
}

export function checkPromotion({ state, status }: Facts): Check[] {
  const checks: Check[] = [];
  const { failedOverFrom, last, promotion } = status ?? state;
  if (failedOverFrom) checks.push(failOver(failedOverFrom));
  if (state.paused) {
    checks.push(warning('promotion', 'edits are paused', '`slots resume` promotes them'));
  }
  if (promotion) {
    const stage = 'stage' in promotion ? promotion.stage : stageOf(promotion);
    checks.push(ok('promotion', `${stage}, since ${ago(promotion.startedAt)}`));
  }
  if (last?.outcome === 'failed') {
    const message = `the last one failed in ${last.stage}, ${ago(last.finishedAt)}: ${last.error}`;
    checks.push(warning('promotion', message, 'visitors see the release before; mend it and save'));
  } else if (last) {
    checks.push(ok('promotion', `the last one: ${last.outcome}, ${ago(last.finishedAt)}`));
  }
  return checks;
}

function failOver(slot: Slot): Check {
  const other = SLOTS.find((each) => each !== slot);
  const message = `${slot} died, and visitors are on ${other}`;
  return problem('promotion', message, `\`slots logs ${slot}\` says why`);
}

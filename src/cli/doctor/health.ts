import { appName } from '../../config/ecosystem.ts';
import type { Config } from '../../config/schema.ts';
import { type ProbeAnswer, probe } from '../../controller/health/probe.ts';
import { judge } from '../../controller/health/verdict.ts';
import { duration } from '../../duration.ts';
import { homePaths } from '../../slots/home.ts';
import { SLOTS, type Slot } from '../../slots/slot.ts';
import { publicAddress } from '../front/registration.ts';
import { type Check, ok, problem, warning } from './check.ts';
import type { Facts } from './facts.ts';

type Answer = (ProbeAnswer & { ms: number }) | Error;

/** Asks the health path of each slot that runs, past the proxy, as the controller does. */
export async function checkSlotHealth(facts: Facts): Promise<Check[]> {
  const running = SLOTS.filter((slot) => isOnline(facts, slot));
  return Promise.all(running.map((slot) => checkSlot(facts, slot)));
}

async function checkSlot({ config, state }: Facts, slot: Slot): Promise<Check> {
  const answer = await ask(config, config.ports[slot], false);
  const say = slot === state.active ? problem : warning;
  const name = `health ${slot}`;
  const logs = `\`slots logs ${slot}\` says what the site says; "health.path" is asked for`;
  const said = describe(config, answer);
  const expected = state.slots[slot].release;
  const verdict = judge(answer, expected);
  if (verdict.is === 'well') return ok(name, `${said}, ${expected}`);
  if (answer instanceof Error || verdict.is !== 'foreign') return say(name, said, logs);
  const hint = 'nothing to do while a promotion runs; else `slots promote`';
  return warning(name, `${said}, by ${answer.release ?? 'another program'}, not ${expected}`, hint);
}

/** The way that visitors take. */
export async function checkProxyHealth(facts: Facts): Promise<Check[]> {
  const { config, state } = facts;
  if (config.hosts) {
    if (!facts.status) return [];
  } else if (!isOnline(facts, 'proxy')) return [];
  const answer = await askProxy(config);
  const said = describe(config, answer);
  if (answer instanceof Error) {
    return [problem('health proxy', said, '`slots logs proxy` and `slots status` say why')];
  }
  if (judge(answer, null).is === 'well') {
    return [ok('health proxy', answer.release ? `${said}, ${answer.release}` : said)];
  }
  if (answer.status === 503 && state.active === null) {
    return [warning('health proxy', `${said}: nothing is live yet`, 'wait for the first build')];
  }
  return [problem('health proxy', said, '`slots logs proxy` and `slots status` say why')];
}

function askProxy(config: Config): Promise<Answer> {
  if (!config.hosts) {
    return ask(config, config.ports.proxy, config.proxy.tls !== undefined, config.host);
  }
  const { port, isTls, listensOn, name } = publicAddress(homePaths(), config);
  return ask(config, port, isTls, listensOn, name);
}

async function ask(
  config: Config,
  port: number,
  tls: boolean,
  host?: string,
  named = config.health.host,
): Promise<Answer> {
  const started = performance.now();
  const { path, timeoutMs } = config.health;
  try {
    const answer = await probe(port, path, timeoutMs, tls, host, named);
    return { ...answer, ms: performance.now() - started };
  } catch (error) {
    return error as Error;
  }
}

function describe({ health }: Config, answer: Answer): string {
  if (!(answer instanceof Error)) {
    return `GET ${health.path} is answered ${answer.status} in ${duration(answer.ms)}`;
  }
  const isLate = answer.name === 'TimeoutError' || answer.name === 'AbortError';
  const why = isLate ? `no answer in ${duration(health.timeoutMs)}` : answer.message;
  return `GET ${health.path}: ${why}`;
}

function isOnline({ apps, config, paths }: Facts, role: Slot | 'proxy'): boolean {
  const instances = apps.get(appName(config, role)) ?? [];
  return instances.some(({ status, root }) => status === 'online' && root === paths.root);
}

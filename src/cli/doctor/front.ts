/** The front that a site with `hosts` shares with others. */

import { FRONT_APP } from '../../config/ecosystem.ts';
import { type FrontConfig, loadFrontConfig } from '../../config/front.ts';
import { contested } from '../../config/host-names.ts';
import { registeredSites } from '../../config/registered-site.ts';
import type { SlotsError } from '../../errors.ts';
import { homePaths } from '../../slots/home.ts';
import { type FrontWorker, frontWorkers, servedBy } from '../front/workers.ts';
import { type Check, ok, problem, warning } from './check.ts';
import type { Facts } from './facts.ts';
import { lowPorts, privileges } from './low-ports.ts';
import { portOwner } from './port-owner.ts';
import { tryToListen } from './ports.ts';

export async function checkFront(facts: Facts): Promise<Check[]> {
  if (!facts.config.hosts) return [];
  const home = homePaths();
  let config: FrontConfig;
  try {
    config = loadFrontConfig(home.frontConfig);
  } catch (error) {
    const { message } = error as SlotsError;
    return [problem('front.json', message, 'correct it, then `slots front reload`')];
  }
  const may = await privileges();
  const workers = await frontWorkers(home);
  return [
    ...(may ? lowPorts(Object.values(config.ports), may) : []),
    ...checkHosts(facts, facts.config.hosts),
    ...(workers.length > 0 ? [checkRunning(facts, workers, config)] : await checkIdle(config)),
  ];
}

function checkHosts({ config, paths }: Facts, hosts: string[]): Check[] {
  const others = registeredSites(homePaths()).filter(({ root }) => root !== paths.root);
  const both = contested(hosts, others);
  if (both === null) return [ok('hosts', `${hosts.join(', ')} are of no other site of the front`)];
  const hint = `take it out of one of the two configs: ${config.name} or ${both.by}`;
  return [problem('hosts', `${both.host} is the host of the site ${both.by}`, hint)];
}

function checkRunning({ config, paths }: Facts, workers: FrontWorker[], front: FrontConfig): Check {
  const served = servedBy(workers, paths.root);
  const where = `on ${front.ports.http} and ${front.ports.https}`;
  const logs = `\`slots front status\` and \`pm2 logs ${FRONT_APP}\` say why`;
  const refused = workers.flatMap(({ status }) => status?.refused ?? []);
  const why = refused.find(({ name }) => name === config.name)?.why;
  if (why !== undefined) return problem('front', `does not serve this site: ${why}`, logs);
  if (served.length === 0) {
    return warning('front', `runs ${where}, without this site`, '`slots up` registers it');
  }
  const said = `${served.length} of ${workers.length} workers serve this site, ${where}`;
  if (served.length < workers.length) return warning('front', said, logs);
  const certificate = served.find(({ problem }) => problem !== null)?.problem;
  return certificate ? warning('front', `${said}; ${certificate}`, logs) : ok('front', said);
}

/** It does not run: whether it could. */
async function checkIdle({ ports, host }: FrontConfig): Promise<Check[]> {
  const checks = Object.entries(ports).map(async ([name, port]): Promise<Check[]> => {
    const error = await tryToListen(port, host);
    if (error?.code !== 'EADDRINUSE') return [];
    const owner = await portOwner(port);
    const who = owner ? `process ${owner.pid} (${owner.command})` : "another user's program";
    const hint = `end that program, or set another "ports.${name}" in front.json`;
    return [problem(`front ports.${name}`, `${port} is taken by ${who}`, hint)];
  });
  const taken = (await Promise.all(checks)).flat();
  return taken.length > 0 ? taken : [ok('front', 'does not run; `slots up` starts it')];
}

import type { FleetReport } from '../../controller/fleet/api.ts';
import type { FleetConnection } from '../../controller/fleet/connection.ts';
import { messageOf, type SlotsError } from '../../errors.ts';
import { readFleetKey } from '../../slots/fleet-key.ts';
import { callController } from '../client.ts';
import { type Check, ok, problem, warning } from './check.ts';
import type { Facts } from './facts.ts';

/** A clock that is further off than this confuses people, and certificates; flips go by the server's. In milliseconds. */
const WRONG_CLOCK_MS = 2000;

/** The way to the server and back: twice that many are not known better. In milliseconds. */
const SLOW_MS = 500;

export async function checkFleet(facts: Facts): Promise<Check[]> {
  const servers = await checkServers(facts);
  const machines = await checkMachines(facts);
  const said = servers.filter(({ level }) => level === 'problem').map(({ message }) => message);
  // The controller has met what was met here just now.
  return [...servers, ...machines.filter(({ message }) => !said.some((s) => message.includes(s)))];
}

/** The servers, JetStream, what this machine may do there, and how its clock stands. */
async function checkServers({ config: { fleet } }: Facts): Promise<Check[]> {
  if (!fleet) return [];
  const name = 'fleet servers';
  // NATS's client is loaded for a fleet only.
  const { openConnection } = await import('../../controller/fleet/connection.ts');
  let connection: FleetConnection;
  try {
    connection = await openConnection(fleet);
  } catch (error) {
    const { message, hint } = error as SlotsError;
    return [problem(name, message, hint)];
  }
  try {
    return [
      ok(name, `${connection.server} has JetStream`),
      ...(await tryOut(connection, fleet.id)),
    ];
  } catch (error) {
    const hint =
      'the user needs to publish and subscribe below `$JS.API`, `$KV`, `$O` and `_INBOX`';
    return [problem('fleet permissions', messageOf(error), hint)];
  } finally {
    await connection.close().catch(() => {});
  }
}

async function tryOut({ lease, fleet, objects }: FleetConnection, id: string): Promise<Check[]> {
  const key = `doctor.${id}`;
  await fleet.get('desired');
  await objects.status();
  const from = Date.now();
  const revision = await lease.put(key, {});
  const to = Date.now();
  const found = await lease.get(key);
  await lease.remove(key, revision);
  const offset = Math.round((found?.createdAt ?? from) - (from + to) / 2);
  const written = ok('fleet permissions', 'this machine can read and write what it has to');
  const how = `the server's clock is ${offset} ms ahead, and its answer takes ${to - from} ms`;
  const name = 'fleet clock';
  if (to - from > SLOW_MS) {
    return [written, warning(name, how, 'machines that are so far apart flip apart, too')];
  }
  if (Math.abs(offset) <= WRONG_CLOCK_MS) return [written, ok(name, how)];
  return [written, warning(name, how, 'let NTP set the clocks (timedatectl set-ntp true)')];
}

/** What the running controller knows of the others. */
async function checkMachines({ config: { fleet }, paths, controllerPid }: Facts): Promise<Check[]> {
  if (!fleet) return [];
  const checks = [checkKey(readFleetKey(paths, fleet.group) !== null)];
  if (controllerPid === null) return checks;
  const report = await callController<FleetReport>(paths, 'GET', '/api/fleet').catch(
    (error: SlotsError) => error,
  );
  const name = 'fleet machines';
  if (report instanceof Error) return [...checks, problem(name, messageOf(report))];
  if (report.problem !== null) return [...checks, problem(name, report.problem)];
  const away = report.machines.filter(({ ready }) => !ready);
  const said = `${report.machines.length - away.length} of ${report.machines.length} are ready`;
  const [first] = away;
  if (!first) return [...checks, ok(name, said)];
  return [...checks, warning(name, `${said}; ${first.id} is not: ${first.why}`)];
}

function checkKey(isThere: boolean): Check {
  const name = 'fleet key';
  if (isThere) return ok(name, 'releases are signed, and others are refused');
  const hint =
    '`slots fleet invite` on one machine makes a key, `slots fleet join` carries it here';
  return warning(
    name,
    'releases are not signed: whoever writes to NATS decides what is served',
    hint,
  );
}

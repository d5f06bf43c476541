import type { CertificateStatus } from '../../controller/acme/status.ts';
import type { SlotStatus, Status } from '../../controller/admin/status.ts';
import { duration } from '../../duration.ts';
import { SLOTS } from '../../slots/slot.ts';
import { STAGES } from '../../slots/state.ts';
import { ago, bytes, cutLines, oneLine, table } from '../terminal/format.ts';
import { style } from '../terminal/style.ts';

const ROLE_STYLES = {
  active: 'green',
  standby: 'cyan',
  candidate: 'yellow',
  retiring: 'yellow',
  down: 'red',
} as const;

/**
 * The whole status for a person: the two slots first, then what happens and what happened last.
 *
 * @param columns what the table is cut to, where a row that goes on in the next line would break a picture
 */
export function renderStatus(status: Status, columns = Number.POSITIVE_INFINITY): string {
  const parts = [heading(status), cutLines(slotTable(status), columns), events(status)];
  return parts.filter(Boolean).join('\n\n');
}

function heading(status: Status): string {
  const workers = status.proxy.workers.length;
  const inflight = SLOTS.reduce((sum, slot) => sum + status.slots[slot].inflight, 0);
  const proxy = addressOf(status.proxy);
  const facts = [`epoch ${status.epoch}`, `${workers} proxy workers`, `${inflight} in flight`];
  return `${style('bold', status.name)}  ${proxy}  ${style('dim', facts.join(' · '))}`;
}

function addressOf({ tls, hosts, port }: Status['proxy']): string {
  const scheme = tls ? 'https' : 'http';
  if (!hosts) return `${scheme}://localhost:${port}`;
  const name = hosts.find((host) => !host.startsWith('*')) ?? hosts[0];
  return `${scheme}://${name}${port === (tls ? 443 : 80) ? '' : `:${port}`}`;
}

function slotTable(status: Status): string {
  const rows = SLOTS.map((slot) => {
    const { role, release, port, healthy, inflight, instances } = status.slots[slot];
    return [
      `${role === 'active' ? style('green', '▶') : ' '} ${style('bold', slot)}`,
      style(ROLE_STYLES[role], role),
      release ?? style('dim', 'no release'),
      `:${port}`,
      health(release, healthy),
      `${inflight} open`,
      instanceSummary(instances),
    ];
  });
  return table(rows);
}

function health(release: string | null, healthy: boolean): string {
  if (release === null) return style('dim', '–');
  return healthy ? style('green', 'healthy') : style('red', 'not healthy');
}

function instanceSummary(instances: SlotStatus['instances']): string {
  const orphaned = instances.filter(({ status }) => status === 'orphaned');
  if (orphaned.length > 0) return style('dim', `${orphaned.length} orphaned instances`);
  const online = instances.filter(({ status }) => status === 'online');
  if (online.length === 0) return style('dim', 'not running');
  const memory = online.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  const uptime = Math.min(...online.map(({ uptimeMs }) => uptimeMs));
  const count = `${online.length} of ${instances.length} instances`;
  return style('dim', `${count}, ${bytes(memory)}, up ${duration(uptime)}`);
}

function events(status: Status): string {
  const lines: string[] = [];
  if (status.failedOverFrom) {
    lines.push(style('red', `${status.failedOverFrom} died: visitors are on ${status.active}`));
  }
  if (status.maintenance) lines.push(maintenanceLine(status.maintenance));
  lines.push(...certificateLines(status.certificates ?? []));
  if (status.promotion) lines.push(running(status.promotion));
  if (status.last) lines.push(lastOne(status.last));
  if (status.fleet) lines.push(fleetLine(status.fleet));
  if (status.watcher.problem) lines.push(style('red', status.watcher.problem));
  if (status.watcher.note) lines.push(style('dim', status.watcher.note));
  if (status.watcher.paused) {
    const waiting = status.watcher.pending > 0 ? `, ${status.watcher.pending} changes wait` : '';
    lines.push(style('yellow', `edits are paused${waiting}: \`slots resume\` promotes them`));
  }
  if (status.skew && status.skew.files > 0) {
    const { files, bytes: size } = status.skew;
    lines.push(style('dim', `for open tabs: ${files} hashed files are kept, ${bytes(size)}`));
  }
  return lines.join('\n');
}

/** Only those that need an eye: what is waited for, and what could not be renewed. */
function certificateLines(certificates: readonly CertificateStatus[]): string[] {
  return certificates.flatMap(({ hosts, state, lastError, hint }) => {
    const names = hosts.join(', ');
    const remedy = hint ? style('dim', `: ${hint}`) : '';
    if (lastError !== null) {
      const what =
        state === 'waiting' || state === 'ordering' ? `waiting for a certificate` : state;
      return [`${style('red', `${names}: ${what}`)}; ${lastError}${remedy}`];
    }
    if (state !== 'waiting' && state !== 'ordering') return [];
    return [style('yellow', `${names}: waiting for the first certificate, which is being ordered`)];
  });
}

function maintenanceLine({ since, allow }: NonNullable<Status['maintenance']>): string {
  const but = allow.length > 0 ? `, but for ${allow.join(', ')}` : '';
  const what = `visitors get a 503 page${but}: \`slots maintenance off\` shows the site again`;
  return `${style('yellow', what)}  ${style('dim', ago(since))}`;
}

function fleetLine({ group, id, epoch, ready, why, machines }: NonNullable<Status['fleet']>) {
  const state = ready ? style('green', 'ready') : style('red', `not ready: ${why}`);
  return `fleet ${group}: ${id} is ${state}, epoch ${epoch}, ${machines} machines are there`;
}

function running(promotion: NonNullable<Status['promotion']>): string {
  const reached = STAGES.indexOf(promotion.stage);
  const stages = STAGES.map((stage, index) => {
    if (index < reached) return style('green', stage);
    return index === reached ? style(['bold', 'yellow'], stage) : style('dim', stage);
  });
  const what = promotion.release ?? 'a new release';
  return `${what}: ${stages.join(' → ')}  ${style('dim', `${promotion.trigger}, ${ago(promotion.startedAt)}`)}`;
}

function lastOne(last: NonNullable<Status['last']>): string {
  const took = Object.entries(last.durationsMs).map(([stage, ms]) => `${stage} ${duration(ms)}`);
  const when = style('dim', [ago(last.finishedAt), ...took].join(' · '));
  if (last.outcome !== 'failed') {
    const but = last.error ? `; but ${style('red', `${last.stage}: ${last.error}`)}` : '';
    return `last: ${style('green', last.outcome)} ${last.release}${but}  ${when}`;
  }
  const release = last.release ? ` (${last.release})` : '';
  return `last: ${style('red', `failed in ${last.stage}`)}${release}: ${oneLine(last.error ?? '')}  ${when}`;
}

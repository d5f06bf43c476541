import type { FleetMachine, FleetReport } from '../controller/fleet/api.ts';
import type { SitePaths } from '../slots/paths.ts';
import { callController } from './client.ts';
import { table } from './terminal/format.ts';
import { style } from './terminal/style.ts';

/** `slots fleet`: the machines, what each serves, and who builds. */
export async function showFleet(paths: SitePaths, options: { json?: boolean }): Promise<void> {
  const report = await callController<FleetReport>(paths, 'GET', '/api/fleet');
  if (options.json) {
    console.log(JSON.stringify(report, null, 2));
    return;
  }
  console.log(fleetText(report));
}

export function fleetText({ machines, ...fleet }: FleetReport): string {
  const { group, epoch, release, builder, paused, problem } = fleet;
  const serves = release === null ? 'nothing is live yet' : `${release}, epoch ${epoch}`;
  const who = builder === null ? '' : `, ${builder} leads`;
  const rows = machines.map((machine) => row(machine, machine.id === fleet.id));
  return [
    `${group}: ${serves}${who}${paused ? ', edits are paused' : ''}`,
    table([['machine', 'address', 'release', 'epoch', 'clock', ''], ...rows]),
    ...(problem === null ? [] : [style('yellow', problem)]),
  ].join('\n');
}

function row(machine: FleetMachine, isSelf: boolean): string[] {
  const { id, address, release, epoch, ready, why, edited } = machine;
  const state = ready ? style('green', 'ready') : style('red', `not ready: ${why}`);
  const more = edited ? ', an edit waits' : '';
  return [
    isSelf ? `${id} (here)` : id,
    address,
    release ?? '-',
    String(epoch),
    clockText(machine.clock),
    state + more,
  ];
}

function clockText(clock: FleetMachine['clock']): string {
  if (clock === null) return '-';
  const { offsetMs, errorMs } = clock;
  const sign = offsetMs < 0 ? '-' : '+';
  return `${sign}${Math.abs(offsetMs).toFixed(1)} ±${errorMs.toFixed(1)} ms`;
}

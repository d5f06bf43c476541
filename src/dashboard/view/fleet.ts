import { html } from 'htm/preact';
import type { FleetMachine, FleetReport } from '../../controller/fleet/api.ts';
import { plural } from '../format.ts';
import { Icon } from './icon.ts';

/** The machines of the fleet: what each serves, and whether a load balancer may send visitors there. */
export function Fleet({ fleet }: { fleet: FleetReport | null }) {
  if (fleet === null) return null;
  const { machines, group, epoch, builder, problem } = fleet;
  const ready = machines.filter((machine) => machine.ready).length;
  return html`
    <section class="panel" aria-labelledby="fleet-title">
      <header class="head">
        <h2 id="fleet-title">Fleet ${group}</h2>
        <p class="quiet">${`${ready} of ${plural(machines.length, 'machine')} ready · epoch ${epoch}`}</p>
      </header>
      <ul id="fleet" class="list">
        ${machines.map((machine) => html`<${Machine} key=${machine.id} machine=${machine} fleet=${fleet} />`)}
      </ul>
      <p id="fleet-builder" class="quiet" hidden=${builder === null}>${`${builder} builds`}</p>
      <p id="fleet-problem" class="reason" hidden=${problem === null}>${problem}</p>
    </section>
  `;
}

function Machine({ machine, fleet }: { machine: FleetMachine; fleet: FleetReport }) {
  const { id, address, release, epoch, ready, why, edited, clock } = machine;
  const notes = [
    address,
    `epoch ${epoch}`,
    clock && `clock ${clock.offsetMs.toFixed(1)} ± ${clock.errorMs.toFixed(1)} ms`,
    edited && 'an edit waits there',
  ];
  return html`
    <li data-machine=${id} data-ready=${String(ready)}>
      <div class="what">
        <p class="line">
          <span class="outcome" data-icon=${ready ? 'check' : 'cross'}>
            <${Icon} name=${ready ? 'check' : 'cross'} />${ready ? 'ready' : 'not ready'}
          </span>
          <strong>${id}</strong>
          <span class="tag live" hidden=${id !== fleet.id}>this one</span>
          <span class="release" hidden=${release === null}>${release}</span>
        </p>
        <p class="quiet">${notes.filter(Boolean).join(' · ')}</p>
        <p class="reason" hidden=${why === null}>${why}</p>
      </div>
    </li>
  `;
}

import { html } from 'htm/preact';
import type { SlotStatus, Status } from '../../controller/admin/status.ts';
import { duration } from '../../duration.ts';
import { serverNow } from '../call.ts';
import { ago, bytes, changedFiles, plural, reasonOf, roughly } from '../format.ts';
import type { Model } from '../model.ts';
import { recent } from '../traffic.ts';
import { Icon, type IconName } from './icon.ts';

export const SLOTS = ['blue', 'green'] as const;

type Slot = (typeof SLOTS)[number];

const ROLES: Record<SlotStatus['role'], { icon: IconName; says: string }> = {
  active: { icon: 'dot', says: 'answers every visitor' },
  standby: { icon: 'ring', says: 'warm, one flip away' },
  candidate: { icon: 'arc', says: 'is being prepared' },
  retiring: { icon: 'arc', says: 'finishes what it has begun' },
  down: { icon: 'cross', says: 'serves nothing' },
};

const PIPES: Record<Slot, string> = {
  blue: 'M500 0 C500 40 250 12 250 56',
  green: 'M500 0 C500 40 750 12 750 56',
};

/** The two slots side by side, and the pipe that visitors come through. */
export function Slots({ model, status }: { model: Model; status: Status }) {
  const { rate } = recent(model.traffic);
  const facts = [
    ...(model.traffic.length > 0 ? [`${rate} / s`] : []),
    `port ${status.proxy.port}`,
    plural(status.proxy.workers.length, 'worker'),
  ];
  const pipe = (slot: Slot) =>
    status.slots[slot].role === 'active' ? `pipe live ${slot}` : 'pipe';
  return html`
    <section aria-labelledby="slots-title" class="slots">
      <h2 id="slots-title" class="unseen">Slots</h2>
      <div class="visitors">
        <p class="node"><strong>Visitors</strong> <span id="proxy-facts">${facts.join(' · ')}</span></p>
        <svg class="pipes" viewBox="0 0 1000 56" preserveAspectRatio="none" aria-hidden="true">
          ${SLOTS.map((slot) => html`<path key=${slot} id=${`pipe-${slot}`} class=${pipe(slot)} d=${PIPES[slot]} />`)}
        </svg>
      </div>
      <div id="slot-cards" class="slot-cards">
        ${SLOTS.map((slot) => html`<${Card} key=${slot} name=${slot} slot=${status.slots[slot]} model=${model} />`)}
      </div>
    </section>
  `;
}

function Card({ name, slot, model }: { name: Slot; slot: SlotStatus; model: Model }) {
  const { icon, says } = ROLES[slot.role];
  return html`
    <article class="slot" data-slot=${name} data-role=${slot.role} aria-labelledby=${`slot-${name}`}>
      <header>
        <h3 id=${`slot-${name}`}>${name}</h3>
        <span class="role" data-icon=${icon}><${Icon} name=${icon} />${slot.role}</span>
        <p class="quiet says">${says}</p>
      </header>
      <p class=${slot.release === null ? 'release none' : 'release'}>${slot.release ?? 'no release yet'}</p>
      <p class="quiet about">${aboutRelease(slot.release, model)}</p>
      <dl class="facts">
        <div><dt>health</dt><${Health} slot=${slot} /></div>
        <div><dt>in flight</dt><dd>${slot.inflight}</dd></div>
        <div><dt>port</dt><dd>${slot.port}</dd></div>
      </dl>
      <${Instances} name=${name} slot=${slot} />
    </article>
  `;
}

function aboutRelease(id: string | null, { releases }: Model): string {
  const release = releases.find((kept) => kept.id === id);
  if (!release) return '';
  const why = changedFiles(release.changed) || reasonOf(release.trigger);
  return `${why} · built ${ago(release.createdAt, serverNow())} in ${duration(release.buildMs)}`;
}

function Health({ slot: { release, healthy, role } }: { slot: SlotStatus }) {
  if (release === null) {
    return html`<dd data-state="none" data-icon="dash"><${Icon} name="dash" />nothing to ask</dd>`;
  }
  if (healthy)
    return html`<dd data-state="good" data-icon="check"><${Icon} name="check" />healthy</dd>`;
  const state = role === 'active' ? 'bad' : 'unsure';
  return html`<dd data-state=${state} data-icon="cross"><${Icon} name="cross" />no answer</dd>`;
}

function Instances({ name, slot }: { name: Slot; slot: SlotStatus }) {
  // PM2 keeps the app of a slot without a release, at rest: nothing of it is worth a look.
  const instances = slot.release === null ? [] : slot.instances;
  return html`
    <table hidden=${instances.length === 0}>
      <caption class="unseen">Instances of ${name}</caption>
      <thead>
        <tr>${['process', 'memory', 'up', 'restarts'].map((head) => html`<th key=${head} scope="col">${head}</th>`)}</tr>
      </thead>
      <tbody>
        ${instances.map(
          // A stopped instance has no pid: its place tells it apart.
          (each, place) =>
            html`<${Instance} key=${each.pid || `place ${place}`} instance=${each} />`,
        )}
      </tbody>
    </table>
  `;
}

function Instance({ instance }: { instance: SlotStatus['instances'][number] }) {
  const { pid, status, memoryBytes, uptimeMs, restarts } = instance;
  const isOnline = status === 'online';
  return html`
    <tr>
      <th scope="row">${isOnline ? pid : status}</th>
      <td>${isOnline ? bytes(memoryBytes) : '–'}</td>
      <td>${isOnline ? roughly(uptimeMs) : '–'}</td>
      <td>${restarts}</td>
    </tr>
  `;
}

/**
 * The two slots side by side, and the pipe that visitors come through.
 *
 * @import { Status, SlotStatus } from '../controller/admin/status.ts'
 * @import { Model } from './app.js'
 */
import { byId, el, setIconAndWord, setText, syncList } from './dom.js';
import { ago, bytes, changedFiles, duration, plural, reasonOf, roughly } from './format.js';
import { recent } from './traffic-view.js';

/** @type {('blue' | 'green')[]} */
export const SLOTS = ['blue', 'green'];

/** @type {Record<string, { icon: any, says: string }>} */
const ROLES = {
  active: { icon: 'dot', says: 'answers every visitor' },
  standby: { icon: 'ring', says: 'warm, one flip away' },
  candidate: { icon: 'arc', says: 'is being prepared' },
  retiring: { icon: 'arc', says: 'finishes what it has begun' },
  down: { icon: 'cross', says: 'serves nothing' },
};

/** @typedef {ReturnType<typeof createCard>} Card */

/** @type {Record<string, Card>} */
const cards = {};

/** @param {Model} model */
export function renderSlots(model) {
  const { status } = model;
  if (!status) return;
  for (const slot of SLOTS) {
    cards[slot] ??= createCard(slot);
    updateCard(cards[slot], status.slots[slot], model);
    const isLive = status.slots[slot].role === 'active';
    byId(`pipe-${slot}`).setAttribute('class', isLive ? `pipe live ${slot}` : 'pipe');
  }
  const workers = plural(status.proxy.workers.length, 'worker');
  const { rate } = recent(model.traffic);
  const facts = [`port ${status.proxy.port}`, workers];
  if (model.traffic.length > 0) facts.unshift(`${rate} / s`);
  setText(byId('proxy-facts'), facts.join(' · '));
}

/** @param {'blue' | 'green'} slot */
function createCard(slot) {
  const role = el('span', { class: 'role' });
  const says = el('p', { class: 'quiet says' });
  const release = el('p', { class: 'release' });
  const about = el('p', { class: 'quiet about' });
  const health = el('dd');
  const inflight = el('dd');
  const port = el('dd');
  const rows = el('tbody');
  const head = ['process', 'memory', 'up', 'restarts'].map((name) =>
    el('th', { scope: 'col' }, name),
  );
  const table = el(
    'table',
    {},
    el('caption', { class: 'unseen' }, `Instances of ${slot}`),
    el('thead', {}, el('tr', {}, ...head)),
    rows,
  );
  const title = el('h3', { id: `slot-${slot}` }, slot);
  const root = el(
    'article',
    { class: 'slot', 'data-slot': slot, 'aria-labelledby': `slot-${slot}` },
    el('header', {}, title, role, says),
    release,
    about,
    el(
      'dl',
      { class: 'facts' },
      fact('health', health),
      fact('in flight', inflight),
      fact('port', port),
    ),
    table,
  );
  byId('slot-cards').append(root);
  return { root, role, says, release, about, health, inflight, port, rows, table };
}

/** @param {string} name @param {Element} value */
function fact(name, value) {
  return el('div', {}, el('dt', {}, name), value);
}

/** @param {Card} card @param {SlotStatus} slot @param {Model} model */
function updateCard(card, slot, model) {
  const role = ROLES[slot.role] ?? { icon: 'dash', says: '' };
  card.root.dataset.role = slot.role;
  setIconAndWord(card.role, role.icon, slot.role);
  setText(card.says, role.says);
  setText(card.release, slot.release ?? 'no release yet');
  card.release.classList.toggle('none', slot.release === null);
  setText(card.about, aboutRelease(slot.release, model));
  showHealth(card.health, slot);
  setText(card.inflight, String(slot.inflight));
  setText(card.port, String(slot.port));
  // PM2 keeps the app of a slot without a release, at rest: nothing of it is worth a look.
  const instances = slot.release === null ? [] : slot.instances;
  card.table.hidden = instances.length === 0;
  const keyOf = (/** @type {Instance} */ instance) =>
    // A stopped instance has no pid: its place tells it apart.
    instance.pid ? `${instance.pid}` : `place ${instances.indexOf(instance)}`;
  syncList(card.rows, instances, keyOf, createInstance, updateInstance);
}

/** @param {string | null} id @param {Model} model */
function aboutRelease(id, { releases, now }) {
  const release = releases.find((kept) => kept.id === id);
  if (!release) return '';
  const why = changedFiles(release.changed) || reasonOf(release.trigger);
  return `${why} · built ${ago(release.createdAt, now())} in ${duration(release.buildMs)}`;
}

/** @param {Element} node @param {SlotStatus} slot */
function showHealth(node, { release, healthy, role }) {
  const state = release === null ? 'none' : healthy ? 'good' : role === 'active' ? 'bad' : 'unsure';
  node.setAttribute('data-state', state);
  if (state === 'none') setIconAndWord(node, 'dash', 'nothing to ask');
  else if (healthy) setIconAndWord(node, 'check', 'healthy');
  else setIconAndWord(node, 'cross', 'no answer');
}

/** @typedef {SlotStatus['instances'][number]} Instance */

function createInstance() {
  return el('tr', {}, el('th', { scope: 'row' }), el('td'), el('td'), el('td'));
}

/** @param {HTMLTableRowElement} row @param {Instance} instance */
function updateInstance(row, { pid, status, memoryBytes, uptimeMs, restarts }) {
  const isOnline = status === 'online';
  const texts = [
    isOnline ? String(pid) : status,
    isOnline ? bytes(memoryBytes) : '–',
    isOnline ? roughly(uptimeMs) : '–',
    String(restarts),
  ];
  texts.forEach((text, column) => {
    const cell = row.children[column];
    if (cell) setText(cell, text);
  });
}

/** What a page title can hold: who is live. @param {Status} status */
export function titleOf(status) {
  const { promotion, active, name, slots } = status;
  if (promotion) return `${promotion.stage} … ${name}`;
  return slots[active].role === 'active' ? `${active} · ${name}` : `nothing live · ${name}`;
}

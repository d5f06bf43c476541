/**
 * The promotion that runs, moving through its six stages, or the last one.
 *
 * @import { Status } from '../controller/admin/status.ts'
 * @import { Model } from './app.js'
 */
import { byId, el, setHidden, setIconAndWord, setText, setTextOrHide } from './dom.js';
import { ago, duration, plural, reasonOf } from './format.js';

const STAGES = ['build', 'start', 'check', 'flip', 'drain', 'reload'];

/** @type {Record<string, string>} */
const SAYS = {
  build: 'building beside what is live',
  start: 'starting the idle slot on the new release',
  check: 'asking every new instance whether it is healthy',
  flip: 'moving visitors over',
  drain: 'letting the old slot finish what it has begun',
  reload: 'warming up the standby',
};

/** @typedef {{ state: 'todo' | 'running' | 'done' | 'failed' | 'skipped' | 'missed', ms: number | null }} Step */

/** The status tells a finished promotion's times only, so those of the running one are taken here. */
/** @type {{ id: string, stage: string, since: number, taken: Record<string, number> }} */
const clock = { id: '', stage: '', since: 0, taken: {} };

/** @type {HTMLElement[]} */
let items = [];

/** Call for each status, in order. @param {Status} status */
export function watchStages({ promotion }) {
  const now = performance.now();
  if (!promotion) {
    clock.id = '';
    return;
  }
  if (promotion.id !== clock.id) {
    // A page that comes late has not seen the stage begin: the build at least began with the promotion.
    Object.assign(clock, { id: promotion.id, stage: promotion.stage, since: now, taken: {} });
  } else if (promotion.stage !== clock.stage) {
    clock.taken[clock.stage] = now - clock.since;
    Object.assign(clock, { stage: promotion.stage, since: now });
  }
}

/** @param {Model} model */
export function renderPromotion(model) {
  const { status } = model;
  if (!status) return;
  const { promotion, last, watcher } = status;
  const steps = promotion ? runningSteps(promotion.stage) : lastSteps(last);
  if (items.length === 0) items = createItems();
  items.forEach((item, index) => {
    const step = steps[index];
    if (step) updateItem(item, step);
  });
  byId('stages').dataset.running = String(promotion !== null);
  setText(byId('promotion-title'), promotion || !last ? 'Promotion' : 'Last promotion');
  setText(
    byId('promotion-text'),
    promotion ? runningText(promotion, model.now()) : lastText(last, model.now()),
  );
  setTextOrHide(byId('promotion-error'), promotion ? null : last?.error);
  setHidden(byId('pause'), watcher.paused, byId('promotion-title'));
  setText(byId('watching'), watchingText(watcher));
}

/** What is read out to those who do not see the stages move. @param {Status} status */
export function announcementOf({ promotion, last, active, slots }) {
  if (promotion) return `Promotion: ${promotion.stage}, ${SAYS[promotion.stage]}`;
  if (!last) return '';
  if (last.outcome === 'failed') return `The promotion failed in ${last.stage}: ${last.error}`;
  const how = last.outcome === 'promoted' ? 'Promoted' : 'Rolled back';
  return `${how}. ${slots[active].release} is live on ${active}`;
}

/** @param {string} current @returns {Step[]} */
function runningSteps(current) {
  const reached = STAGES.indexOf(current);
  return STAGES.map((stage, index) => {
    if (index > reached) return { state: 'todo', ms: null };
    if (index === reached) return { state: 'running', ms: performance.now() - clock.since };
    const ms = clock.taken[stage] ?? null;
    return { state: ms === null && Object.keys(clock.taken).length > 0 ? 'skipped' : 'done', ms };
  });
}

/** @param {Status['last']} last @returns {Step[]} */
function lastSteps(last) {
  return STAGES.map((stage) => {
    if (!last) return { state: 'todo', ms: null };
    const ms = last.durationsMs[/** @type {'build'} */ (stage)] ?? null;
    if (last.outcome === 'failed' && stage === last.stage) return { state: 'failed', ms };
    if (ms !== null) return { state: 'done', ms };
    return { state: last.outcome === 'failed' ? 'missed' : 'skipped', ms };
  });
}

/** @param {NonNullable<Status['promotion']>} promotion @param {number} now */
function runningText({ release, trigger, stage, startedAt }, now) {
  const elapsed = duration(Math.max(0, now - Date.parse(startedAt)));
  return `${release ?? 'A new release'} (${reasonOf(trigger)}), ${elapsed}: ${SAYS[stage]}.`;
}

/** @param {Status['last']} last @param {number} now */
function lastText(last, now) {
  if (!last) return 'None has run yet.';
  const total = Object.values(last.durationsMs).reduce((sum, ms) => sum + ms, 0);
  const what = last.release ?? 'A new release';
  const when = `${ago(last.finishedAt, now)}, after ${duration(total)}`;
  if (last.outcome === 'failed') {
    return `${what} failed in ${last.stage} ${when}. Visitors saw nothing of it.`;
  }
  return last.outcome === 'promoted'
    ? `${what} was promoted ${when}.`
    : `Rolled back to ${what} ${when}.`;
}

/** @param {Status['watcher']} watcher */
function watchingText({ paths, pending, paused }) {
  const waiting = pending > 0 ? `, ${plural(pending, 'change')} waiting` : '';
  return `${paused ? 'Seeing edits in' : 'Promoting edits in'} ${paths.join(', ')}${waiting}`;
}

function createItems() {
  const made = STAGES.map((stage) =>
    el(
      'li',
      { 'data-stage': stage },
      el('span', { class: 'bead' }),
      el('span', { class: 'name' }, stage),
      el('span', { class: 'time' }),
    ),
  );
  byId('stages').append(...made);
  return made;
}

/** @type {Record<Step['state'], { icon: any, word: string }>} */
const MARKS = {
  todo: { icon: 'ring', word: 'to come' },
  running: { icon: 'arc', word: 'running' },
  done: { icon: 'check', word: 'done' },
  failed: { icon: 'cross', word: 'failed' },
  skipped: { icon: 'dash', word: 'not needed' },
  missed: { icon: 'dash', word: 'not reached' },
};

/** @param {HTMLElement} item @param {Step} step */
function updateItem(item, { state, ms }) {
  const [bead, , time] = item.children;
  if (!bead || !time) return;
  if (item.dataset.state !== state) {
    item.dataset.state = state;
    if (state === 'running') item.setAttribute('aria-current', 'step');
    else item.removeAttribute('aria-current');
    setIconAndWord(bead, MARKS[state].icon, '');
    bead.append(el('span', { class: 'unseen' }, MARKS[state].word));
  }
  setText(time, ms === null ? '' : duration(ms));
}

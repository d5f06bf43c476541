/**
 * What happened, newest first, and why.
 *
 * @import { HistoryEntry } from '../slots/history.ts'
 * @import { Model } from './app.js'
 */
import { byId, el, setIconAndWord, setText, setTextOrHide, syncList } from './dom.js';
import { ago, changedFiles, duration, reasonOf } from './format.js';

const SHOWN_AT_FIRST = 8;

const OUTCOMES = {
  promoted: { icon: /** @type {const} */ ('check'), word: 'promoted' },
  'rolled-back': { icon: /** @type {const} */ ('undo'), word: 'rolled back' },
  failed: { icon: /** @type {const} */ ('cross'), word: 'failed' },
};

let isWhole = false;

/** @param {Model} model */
export function renderHistory(model) {
  const { history, now } = model;
  const newest = [...history].sort((a, b) => Date.parse(b.finishedAt) - Date.parse(a.finishedAt));
  const shown = isWhole ? newest : newest.slice(0, SHOWN_AT_FIRST);
  const more = byId('history-more');
  more.hidden = shown.length === newest.length;
  more.onclick = () => {
    isWhole = true;
    renderHistory(model);
  };
  byId('history-none').hidden = newest.length > 0;
  syncList(
    byId('history'),
    shown,
    ({ id }) => id,
    createItem,
    (item, entry) => updateItem(item, entry, model, now()),
  );
}

/** When visitors were moved. @param {HistoryEntry[]} history @returns {number[]} */
export function flipTimes(history) {
  return history.flatMap(({ outcome, startedAt, durationsMs }) => {
    if (outcome === 'failed') return [];
    const { build = 0, start = 0, check = 0, flip = 0 } = durationsMs;
    return [Date.parse(startedAt) + build + start + check + flip];
  });
}

function createItem() {
  const head = el(
    'p',
    { class: 'line' },
    el('span', { class: 'outcome' }),
    el('span', { class: 'release' }),
    el('span', { class: 'quiet' }),
  );
  const what = el(
    'div',
    { class: 'what' },
    head,
    el('p', { class: 'quiet' }),
    el('p', { class: 'reason' }),
  );
  return el('li', {}, what);
}

/** @param {HTMLElement} item @param {HistoryEntry} entry @param {Model} model @param {number} now */
function updateItem(item, entry, { releases }, now) {
  const { outcome, release, trigger, finishedAt, durationsMs, stage, error } = entry;
  const [head, about, reason] = /** @type {any} */ (item.firstElementChild).children;
  const [result, id, when] = head.children;
  const { icon, word } = OUTCOMES[outcome];
  item.dataset.outcome = outcome;
  setIconAndWord(result, icon, word);
  setText(when, ago(finishedAt, now));
  setTextOrHide(id, release);
  const files = changedFiles(releases.find((kept) => kept.id === release)?.changed ?? []);
  const took = duration(Object.values(durationsMs).reduce((sum, ms) => sum + ms, 0));
  const why = trigger === 'edit' && files ? `an edit of ${files}` : reasonOf(trigger);
  setText(about, `${why} · took ${took}`);
  setTextOrHide(reason, error ? `in ${stage}: ${error}` : null);
}

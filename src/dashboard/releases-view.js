/**
 * What is kept, newest first, with a way back to each.
 *
 * @import { Model, Release } from './app.js'
 */
import { byId, el, setHidden, setText, syncList } from './dom.js';
import { ago, changedFiles, duration, reasonOf } from './format.js';
import { SLOTS } from './slots-view.js';

/**
 * @param {Model} model
 * @param {(release: string) => void} onRollback
 */
export function renderReleases({ status, releases, history, now }, onRollback) {
  if (!status) return;
  const activeRelease = status.slots[status.active].release;
  byId('releases-none').hidden = releases.length > 0;
  setHidden(byId('rollback'), standbyRelease(status) === null, byId('releases-title'));
  syncList(
    byId('releases'),
    releases,
    ({ id }) => id,
    ({ id }) => createItem(id, onRollback),
    (item, release) => {
      const isLive = release.id === activeRelease;
      const tags = SLOTS.filter((slot) => status.slots[slot].release === release.id);
      const failure = history.findLast((entry) => entry.release === release.id);
      updateItem(item, release, {
        tags: [
          ...(isLive ? ['live'] : []),
          ...tags.map((slot) => `on ${slot}`),
          ...(failure?.outcome === 'failed' ? [`failed in ${failure.stage}`] : []),
        ],
        isLive,
        now: now(),
      });
    },
  );
}

/** The release that a rollback without a name goes to. @param {NonNullable<Model['status']>} status */
export function standbyRelease({ slots }) {
  const standby = SLOTS.find((slot) => slots[slot].role === 'standby');
  return standby ? slots[standby].release : null;
}

/** @param {string} id @param {(release: string) => void} onRollback */
function createItem(id, onRollback) {
  const button = el('button', { type: 'button', class: 'small' }, 'Make live');
  button.setAttribute('aria-label', `Make ${id} live`);
  button.addEventListener('click', () => onRollback(id));
  return el(
    'li',
    {},
    el(
      'div',
      { class: 'what' },
      el(
        'p',
        { class: 'line' },
        el('span', { class: 'release' }, id),
        el('span', { class: 'tags' }),
      ),
      el('p', { class: 'quiet' }),
    ),
    button,
  );
}

/**
 * @param {HTMLElement} item
 * @param {Release} release
 * @param {{ tags: string[], isLive: boolean, now: number }} more
 */
function updateItem(item, release, { tags, isLive, now }) {
  const [line, about] = /** @type {any} */ (item.querySelector('.what')).children;
  syncList(
    line.children[1],
    tags,
    (tag) => tag,
    createTag,
    () => {},
  );
  const why = changedFiles(release.changed) || reasonOf(release.trigger);
  const commit = release.commit ? ` · ${release.commit.slice(0, 7)}` : '';
  setText(
    about,
    `${why} · ${ago(release.createdAt, now)} · built in ${duration(release.buildMs)}${commit}`,
  );
  const button = /** @type {HTMLButtonElement} */ (item.querySelector('button'));
  setHidden(button, isLive, byId('releases-title'));
}

/** @param {string} tag */
function createTag(tag) {
  const kind = tag.startsWith('failed') ? 'failed' : tag.replace('on ', '');
  return el('span', { class: `tag ${kind}` }, tag);
}

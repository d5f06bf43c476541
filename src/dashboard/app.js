/**
 * The dashboard: keeps what the controller says in one model and draws it anew on each change.
 *
 * @import { Status } from '../controller/admin/status.ts'
 * @import { HistoryEntry } from '../slots/history.ts'
 * @import { Point } from './traffic-view.js'
 * @import { TrafficPoint } from '../controller/metrics/traffic-ring.ts'
 */
import { wireActions } from './actions.js';
import { call, follow, serverNow } from './connection.js';
import { byId, setHidden, setText, setTextOrHide } from './dom.js';
import { plural } from './format.js';
import { renderHistory } from './history-view.js';
import { aboutRelease, appendLine, replaceLog } from './log-view.js';
import { announcementOf, renderPromotion, watchStages } from './promotion-view.js';
import { renderReleases } from './releases-view.js';
import { renderSlots, titleOf } from './slots-view.js';
import { forgetToken, keepToken, takeToken, tokenIn } from './token.js';
import { renderTraffic } from './traffic-view.js';

/** @typedef {{ id: string, createdAt: string, trigger: string, changed: string[], commit: string | null, buildMs: number }} Release */

/**
 * @typedef {object} Model
 * @property {Status | null} status
 * @property {Release[]} releases newest first
 * @property {HistoryEntry[]} history
 * @property {Point[]} traffic
 * @property {() => number} now on the site's machine
 */

/** @type {Model} */
const model = { status: null, releases: [], history: [], traffic: [], now: serverNow };

/** How long after its end a promotion is in the history and old releases are pruned, in milliseconds. */
const SETTLED_MS = 600;

/** Elapsed times move by themselves, in milliseconds. */
const REDRAW_MS = 250;

/** @type {ReturnType<typeof follow> | null} */
let connection = null;
let token = '';
let seenAt = 0;

const actions = wireActions((method, path, body) => call(token, method, path, body), model);

function begin() {
  connection?.end();
  token = takeToken() ?? '';
  if (token === '') return showGate('Without one, nobody can see or change anything here.');
  setConnection('connecting', 'connecting');
  connection = follow(token, {
    onStatus,
    onBuildLine: appendLine,
    onOpen() {
      setConnection('live', 'connected');
      byId('lost').hidden = true;
      byId('page').dataset.stale = 'false';
      void refreshLists();
      void refreshTraffic();
    },
    onLook() {
      void refreshLists();
      void refreshTraffic();
    },
    onLost,
    onRefused({ status, message, hint }) {
      if (status === 401) forgetToken();
      const why = 'That token was not accepted. It may be of another site, or an old one.';
      showGate(status === 401 ? why : [message, hint].filter(Boolean).join('; '));
    },
  });
}

/** @param {Status} status */
function onStatus(status) {
  const before = model.status;
  seenAt = Date.now();
  model.status = status;
  byId('gate').hidden = true;
  byId('page').hidden = false;
  watchStages(status);
  const { promotion, last } = status;
  const isBuilding = promotion?.stage === 'build';
  // For an instant a promotion has no release yet: the log stays as it is.
  const { release = null } = promotion ?? last ?? {};
  if (aboutRelease(release, isBuilding)) void refreshLog(release);
  if (before && announcementOf(before) !== announcementOf(status)) {
    setText(byId('announcer'), announcementOf(status));
  }
  if (before && before.last?.id !== last?.id) {
    void refreshLists();
    setTimeout(refreshLists, SETTLED_MS);
  }
  draw();
}

function draw() {
  const { status } = model;
  if (!status) return;
  document.title = titleOf(status);
  setText(byId('site-name'), status.name);
  renderSlots(model);
  renderPromotion(model);
  renderReleases(model, actions.rollback);
  renderHistory(model);
  const { paused, pending } = status.watcher;
  setHidden(byId('paused'), !paused, byId('promotion-title'));
  const waiting = pending > 0 ? `${plural(pending, 'change')} waiting; resume` : 'Resume';
  setText(byId('paused-text'), `${waiting} to promote what was edited meanwhile.`);
  byId('failover').hidden = status.failedOverFrom === undefined;
  const { failedOverFrom, active } = status;
  setText(byId('failover-text'), `${failedOverFrom} stopped answering: visitors are on ${active}.`);
  setText(byId('footer'), `slots ${status.version} · ${plural(status.epoch, 'flip')} so far`);
}

async function refreshLists() {
  const [releases, history] = await Promise.all([
    call(token, 'GET', '/api/releases').catch(() => null),
    call(token, 'GET', '/api/history').catch(() => null),
  ]);
  if (releases) model.releases = releases;
  if (history) model.history = history;
  // The chart marks the flips, which the history tells.
  if (history && model.traffic.length > 0) renderTraffic(model);
  draw();
}

async function refreshTraffic() {
  const answer = await call(token, 'GET', '/api/traffic').catch(() => null);
  if (!answer) return;
  model.traffic = answer.points.map((/** @type {TrafficPoint} */ point) => ({
    time: Date.parse(point.at),
    requests: point.requests,
    errors: point.errors,
    p50Ms: point.p50Ms ?? 0,
    p99Ms: point.p99Ms ?? 0,
  }));
  renderTraffic(model);
}

/** @param {string | null} release */
async function refreshLog(release) {
  if (release === null) return;
  // Of a build that failed there is no release: its log is the newest one.
  const { last, promotion } = model.status ?? {};
  const isNewest = promotion?.release === release || (!promotion && last?.stage === 'build');
  const path = isNewest ? '/api/build-log' : `/api/build-log?release=${release}`;
  const log = await call(token, 'GET', path).catch(() => null);
  if (log !== null) replaceLog(release, log);
}

function onLost() {
  setConnection('lost', 'connection lost');
  byId('lost').hidden = model.status === null;
  byId('page').dataset.stale = 'true';
  const at = new Date(seenAt).toLocaleTimeString();
  setText(byId('lost-text'), `What you see is from ${at}. Trying to reach the controller again …`);
}

/** @param {string} state @param {string} word */
function setConnection(state, word) {
  byId('connection').dataset.state = state;
  setText(byId('connection'), word);
}

/** @param {string} why */
function showGate(why) {
  connection?.end();
  setConnection('none', 'not connected');
  byId('page').hidden = true;
  byId('gate').hidden = false;
  setTextOrHide(byId('gate-text'), why);
  byId('gate-token').focus();
}

byId('gate-form').addEventListener('submit', (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  const given = byId('gate-token').value.trim();
  byId('gate-token').value = '';
  keepToken(tokenIn(given) ?? given);
  begin();
});
byId('lost-retry').addEventListener('click', () => connection?.retry());
// The whole address pasted over this page's changes the fragment only, which loads nothing.
window.addEventListener('hashchange', () => tokenIn(location.hash) && begin());
new ResizeObserver(() => renderTraffic(model)).observe(byId('traffic-chart'));
setInterval(() => !document.hidden && draw(), REDRAW_MS);
begin();

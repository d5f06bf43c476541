/** The build's output: live while it runs, from build.log otherwise. */
import { byId, el, setText } from './dom.js';
import { withoutColours } from './format.js';

/** More than a person scrolls through; `slots logs build` has all of it. */
const MAX_LINES = 500;

/** Nearer to the end than this counts as reading along, in pixels. */
const AT_END_PX = 24;

/** The release whose output is shown; '' when its lines came before its name. */
let shown = '';
let isBuilding = false;
let isClosedByHand = false;

byId('log-box')
  .querySelector('summary')
  .addEventListener('click', () => {
    isClosedByHand = byId('log-box').open;
  });

/** One line of the running build. It may come before the status that says that a build runs. */
export function appendLine(/** @type {string} */ text) {
  if (!isBuilding) begin('');
  const log = byId('log');
  const readsAlong = log.scrollHeight - log.scrollTop - log.clientHeight < AT_END_PX;
  log.append(lineOf(text));
  while (log.childElementCount > MAX_LINES) log.firstElementChild.remove();
  if (readsAlong) log.scrollTop = log.scrollHeight;
}

/**
 * Says which release the log is about from now on.
 *
 * @param {string | null} release
 * @param {boolean} building
 * @returns {boolean} whether build.log holds something that the page has not seen
 */
export function aboutRelease(release, building) {
  if (release === null) return false;
  const wasBuilding = isBuilding;
  const isSame = shown === release || (shown === '' && isBuilding);
  if (!isSame) begin(release);
  shown = release;
  isBuilding = building;
  setText(byId('log-title'), `Build log of ${release}`);
  byId('log-box').dataset.building = String(building);
  if (building && !isClosedByHand) byId('log-box').open = true;
  return !isSame || wasBuilding !== building;
}

/** @param {string} release @param {string} text the whole of build.log */
export function replaceLog(release, text) {
  const log = byId('log');
  const lines = text.split(/\r?\n/).filter((line) => withoutColours(line).trim() !== '');
  // The file may be behind the lines that came live.
  if (release !== shown || lines.length < log.childElementCount) return;
  log.replaceChildren(...lines.slice(-MAX_LINES).map(lineOf));
  log.scrollTop = log.scrollHeight;
}

/** @param {string} release */
function begin(release) {
  shown = release;
  isBuilding = true;
  byId('log').replaceChildren();
}

/** @param {string} text */
function lineOf(text) {
  const clean = withoutColours(text);
  const isError = /\berror\b|error:|\bfailed\b/i.test(clean);
  return el('div', isError ? { class: 'error' } : {}, clean);
}

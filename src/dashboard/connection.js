/**
 * The line to the controller: calls, and a stream of events that comes back by itself.
 *
 * @import { Status } from '../controller/admin/status.ts'
 */

/** An answer that takes longer than this will not come, in milliseconds. */
const ANSWER_TIMEOUT_MS = 6000;

/** How long to wait before another try: longer each time, but never long for a person who looks. */
const RETRY_MS = [500, 1000, 2000, 4000];

/** How often what no event tells is asked for: memory, uptime, in flight. */
const LOOK_MS = 2500;

/** Two clocks that differ by less are taken as one: a Date header knows whole seconds only, in milliseconds. */
const CLOCK_SLACK_MS = 3000;

let clockOffset = 0;

/** The time on the site's machine, which is another one when the port comes through a tunnel. */
export function serverNow() {
  return Date.now() + clockOffset;
}

/** @param {string | null} date */
function noteClock(date) {
  const offset = date ? Date.parse(date) - Date.now() : 0;
  clockOffset = Math.abs(offset) > CLOCK_SLACK_MS ? offset : 0;
}

/** The controller's own error, or that it cannot be reached. */
export class CallError extends Error {
  /** @param {string} message @param {{ status: number, hint?: string }} more */
  constructor(message, { status, hint }) {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

/**
 * @param {string} token
 * @param {'GET' | 'POST'} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
export async function call(token, method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
    },
    body: method === 'POST' ? JSON.stringify(body ?? {}) : undefined,
    cache: 'no-store',
    credentials: 'omit',
    // An order takes as long as it takes; a question does not.
    signal: method === 'GET' ? AbortSignal.timeout(ANSWER_TIMEOUT_MS) : undefined,
  }).catch(() => {
    throw new CallError('the controller does not answer', { status: 0 });
  });
  noteClock(answer.headers.get('date'));
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json');
  const value = isJson ? JSON.parse(text) : text;
  if (answer.ok) return value;
  const { message, hint } = value.error ?? { message: `the controller answered ${answer.status}` };
  throw new CallError(message, { status: answer.status, hint });
}

/**
 * @typedef {object} Listener
 * @property {(status: Status) => void} onStatus
 * @property {(line: string) => void} onBuildLine
 * @property {() => void} onOpen each time the events flow, after a loss too
 * @property {() => void} onLook now and then while they do
 * @property {() => void} onLost
 * @property {(error: CallError) => void} onRefused the token or the address is wrong; there is no further try
 */

/**
 * Follows the controller for as long as the page lives.
 *
 * @param {string} token
 * @param {Listener} listener
 * @returns {{ retry(): void, end(): void }}
 */
export function follow(token, listener) {
  /** @type {EventSource | null} */
  let events = null;
  let failures = 0;
  let ended = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const later = (/** @type {() => void} */ act, /** @type {number} */ ms) => {
    clearTimeout(timer);
    timer = setTimeout(act, ms);
  };

  const close = () => {
    clearTimeout(timer);
    events?.close();
    events = null;
  };

  const lose = (/** @type {unknown} */ error) => {
    if (ended) return;
    close();
    if (error instanceof CallError && (error.status === 401 || error.status === 403)) {
      ended = true;
      listener.onRefused(error);
      return;
    }
    listener.onLost();
    later(open, RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? 0);
  };

  const look = async () => {
    try {
      const status = await call(token, 'GET', '/api/status');
      if (ended) return false;
      listener.onStatus(status);
      return true;
    } catch (error) {
      lose(error);
      return false;
    }
  };

  // An EventSource does not say why it failed, so the token is tried by a call first.
  const open = async () => {
    close();
    if (!(await look())) return;
    const source = new EventSource(`/api/events?token=${encodeURIComponent(token)}`);
    events = source;
    source.onopen = () => {
      failures = 0;
      listener.onOpen();
      later(lookOn, LOOK_MS);
    };
    source.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      if (event.type === 'status') listener.onStatus(event.status);
      if (event.type === 'build-line') listener.onBuildLine(event.line);
    };
    source.onerror = () => source === events && lose(null);
  };

  const lookOn = async () => {
    // Nobody looks at a hidden page: the events keep it right, the numbers can wait.
    if (!document.hidden) {
      if (!(await look())) return;
      listener.onLook();
    }
    if (!ended && events) later(lookOn, LOOK_MS);
  };

  const retry = () => {
    if (!ended && !events) open();
  };
  window.addEventListener('online', retry);
  document.addEventListener('visibilitychange', () => !document.hidden && retry());
  open();

  return {
    retry,
    end() {
      ended = true;
      close();
    },
  };
}

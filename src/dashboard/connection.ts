/** The connection to the controller: a stream of events that comes back by itself, and a look now and then. */
import type { Status } from '../controller/admin/status.ts';
import { CallError, call } from './call.ts';

/** How long to wait before another try: longer each time, but never long for a person who looks. */
const RETRY_MS = [500, 1000, 2000, 4000];

/** How often what no event tells is asked for: memory, uptime, in flight; in milliseconds. */
const LOOK_MS = 2500;

export interface Listener {
  onStatus(status: Status): void;
  onBuildLine(line: string): void;
  /** Each time the events flow, after a loss too. */
  onOpen(): void;
  /** Now and then while they do. */
  onLook(): void;
  onLost(): void;
  /** The token or the address is wrong; there is no further try. */
  onRefused(error: CallError): void;
}

export interface Connection {
  retry(): void;
  end(): void;
}

/** Follows the controller until it is ended. */
export function follow(token: string, listener: Listener): Connection {
  let events: EventSource | null = null;
  let failures = 0;
  let ended = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const later = (act: () => void, ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(act, ms);
  };

  const close = () => {
    clearTimeout(timer);
    events?.close();
    events = null;
  };

  const lose = (error: unknown) => {
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
      const status = await call<Status>(token, 'GET', '/api/status');
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

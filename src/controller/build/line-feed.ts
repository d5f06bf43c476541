import { EventEmitter } from 'node:events';

/** The running build's output, line by line, for whoever follows it at the moment. */
export interface LineFeed {
  push(line: string): void;
  /** Calls with each line from now on, until the signal. */
  follow(listener: (line: string) => void, signal: AbortSignal): void;
}

export function createLineFeed(): LineFeed {
  const lines = new EventEmitter().setMaxListeners(0);
  return {
    push: (line) => void lines.emit('line', line),
    follow(listener, signal) {
      lines.on('line', listener);
      signal.addEventListener('abort', () => lines.off('line', listener));
    },
  };
}

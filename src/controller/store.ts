import PQueue from 'p-queue';
import type { State } from '../slots/state.ts';

/** The one copy of the state in this process. */
export interface Store {
  readonly state: State;
  /**
   * Applies a pure change to the latest state and resolves once it is on disk; nothing may act on the new
   * state before that. Changes are applied one after the other.
   */
  update(change: (state: State) => State): Promise<State>;
  /** Calls back after each change until the signal aborts. */
  onChange(listener: (state: State) => void, signal?: AbortSignal): void;
  /** From here on no change is applied and every `update` waits for ever: the process is about to end. */
  freeze(): Promise<void>;
  readonly isFrozen: boolean;
}

/** @param persist writes durably */
export function createStore(initial: State, persist: (state: State) => Promise<void>): Store {
  let state = initial;
  const changes = new PQueue({ concurrency: 1 });
  const listeners = new Set<(state: State) => void>();

  const apply = async (change: (state: State) => State): Promise<State> => {
    const next = change(state);
    if (next === state) return state;
    await persist(next);
    state = next;
    for (const listener of listeners) listener(next);
    return next;
  };

  return {
    get state() {
      return state;
    },
    update: (change) => changes.add(() => apply(change)),
    get isFrozen() {
      return changes.isPaused;
    },
    async freeze() {
      changes.pause();
      await changes.onPendingZero();
    },
    onChange(listener, signal) {
      listeners.add(listener);
      signal?.addEventListener('abort', () => listeners.delete(listener));
    },
  };
}

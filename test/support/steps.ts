/** One thing that the controller waits for. It is done when the test says so, and not before. */
interface Pending {
  name: string;
  /** Does it; false when that is not possible yet. */
  attempt(): boolean;
  fail(error: Error): void;
}

interface Sleep {
  until: number;
  wake(): void;
}

export type Steps = ReturnType<typeof createSteps>;

/** A clock that moves by a millisecond an act, and all that is waited for, to be done one at a time in the order it was begun. */
export function createSteps() {
  let now = 0;
  let pending: Pending[] = [];
  let sleeps: Sleep[] = [];

  const drop = (entry: Pending) => {
    pending = pending.filter((each) => each !== entry);
  };

  return {
    now: () => now,

    /**
     * @param effect what happens once it is done; `undefined` when it cannot be done yet
     * @param onFail what a failure is answered with, where it is no rejection
     */
    wait<T>(
      name: string,
      effect: () => { value: T } | undefined,
      { signal, onFail }: { signal?: AbortSignal; onFail?: (error: Error) => T } = {},
    ): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        const entry: Pending = {
          name,
          attempt() {
            const done = effect();
            if (done === undefined) return false;
            drop(entry);
            now++;
            resolve(done.value);
            return true;
          },
          fail(error) {
            drop(entry);
            if (onFail) resolve(onFail(error));
            else reject(error);
          },
        };
        pending.push(entry);
        signal?.addEventListener('abort', () => {
          drop(entry);
          reject(signal.reason);
        });
      });
    },

    sleep<T>(ms: number, value?: T, { signal }: { signal?: AbortSignal } = {}): Promise<T> {
      return new Promise((resolve, reject) => {
        const entry: Sleep = { until: now + ms, wake: () => resolve(value as T) };
        sleeps.push(entry);
        signal?.addEventListener('abort', () => {
          sleeps = sleeps.filter((each) => each !== entry);
          reject(Object.assign(new Error('aborted'), { name: 'AbortError', cause: signal.reason }));
        });
      });
    },

    /** Does what has waited longest and can be done; where nothing can, time passes. */
    advance(): void {
      for (const entry of [...pending]) if (entry.attempt()) return;
      const next = sleeps.toSorted((a, b) => a.until - b.until)[0];
      if (!next) return;
      sleeps = sleeps.filter((each) => each !== next);
      now = Math.max(now, next.until);
      next.wake();
    },

    isWaitingFor: (what: string) => pending.some(({ name }) => name.startsWith(what)),

    /** @returns whether there was anything to fail */
    fail(error: Error): boolean {
      const [oldest] = pending;
      oldest?.fail(error);
      return oldest !== undefined;
    },

    /** The controller is killed: nothing of what it waits for comes back to it. */
    forget(): void {
      pending = [];
      sleeps = [];
    },
  };
}

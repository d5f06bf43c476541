import type { Promotion, State } from '../../slots/state.ts';
import type { Store } from '../store.ts';
import type { Ending } from './message.ts';

/** Calls back each time a promotion or a rollback has ended, once it is on disk. */
export function onEnding(
  site: string,
  store: Pick<Store, 'state' | 'onChange'>,
  listener: (ending: Ending) => void,
): void {
  let running: Promotion | null = store.state.promotion;
  let lastId = store.state.last?.id;
  store.onChange(({ promotion, last }: State) => {
    const ended = running;
    running = promotion ?? running;
    if (!last || last.id === lastId) return;
    lastId = last.id;
    const { trigger, startedAt } =
      ended?.id === last.id ? ended : { trigger: 'unknown', startedAt: last.finishedAt };
    listener({ site, ...last, trigger, startedAt });
  });
}

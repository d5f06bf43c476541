import type { State } from '../../slots/state.ts';
import type { Store } from '../store.ts';
import type { Ending } from './message.ts';

/** Calls back each time a promotion or a rollback has ended, once it is on disk. */
export function onEnding(
  site: string,
  store: Pick<Store, 'state' | 'onChange'>,
  listener: (ending: Ending) => void,
): void {
  let lastId = store.state.last?.id;
  store.onChange(({ last }: State) => {
    if (!last || last.id === lastId) return;
    lastId = last.id;
    listener({ site, ...last });
  });
}

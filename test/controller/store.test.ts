import { expect, test } from 'vitest';
import { createStore } from '../../src/controller/store.ts';
import { EMPTY_STATE, readState, type State, writeState } from '../../src/slots/state.ts';
import { tempSite } from '../support/temp-site.ts';

const nextEpoch = (state: State): State => ({ ...state, epoch: state.epoch + 1 });

async function storeOnDisk() {
  const paths = await tempSite();
  const store = createStore(EMPTY_STATE, (state) => writeState(paths, state));
  return { store, onDisk: () => readState(paths) };
}

/** A store whose disk answers only when the test says so. */
function storeOnSlowDisk() {
  const waiting: { settle(error?: Error): void; state: State }[] = [];
  const store = createStore(EMPTY_STATE, (state) => {
    return new Promise((resolve, reject) => {
      waiting.push({ state, settle: (error) => (error ? reject(error) : resolve()) });
    });
  });
  const turn = async (error?: Error) => {
    await soon();
    waiting.shift()?.settle(error);
    await soon();
  };
  return { store, waiting, turn };
}

/** Lets everything run that waits for nothing but its turn. */
const soon = () => new Promise<void>((resolve) => setImmediate(resolve));

test('the store has the new state on disk when an update resolves', async () => {
  const { store, onDisk } = await storeOnDisk();
  expect(await store.update(nextEpoch)).toMatchObject({ epoch: 1 });
  expect(await onDisk()).toEqual(store.state);
});

test('the store loses none of many updates at once', async () => {
  const { store, onDisk } = await storeOnDisk();
  await Promise.all(Array.from({ length: 30 }, () => store.update(nextEpoch)));
  expect(store.state.epoch).toBe(30);
  expect((await onDisk()).epoch).toBe(30);
});

test('the store shows the old state until the new one is on disk', async () => {
  const { store, turn } = storeOnSlowDisk();
  const heard: number[] = [];
  store.onChange(({ epoch }) => heard.push(epoch));
  const updated = store.update(nextEpoch);
  await soon();
  expect([store.state.epoch, heard]).toEqual([0, []]);
  await turn();
  await updated;
  expect([store.state.epoch, heard]).toEqual([1, [1]]);
});

test('the store writes nothing and tells nobody when a change changes nothing', async () => {
  const { store, waiting } = storeOnSlowDisk();
  store.onChange(() => expect.unreachable('there is no change to tell of'));
  expect(await store.update((state) => state)).toBe(EMPTY_STATE);
  expect(waiting).toEqual([]);
});

test('the store keeps the old state when the disk refuses the new one, and goes on', async () => {
  const { store, turn } = storeOnSlowDisk();
  const failing = store.update(nextEpoch);
  const following = store.update((state) => ({ ...state, paused: true }));
  const full = expect(failing).rejects.toThrow('disk full');
  await turn(new Error('disk full'));
  await full;
  await turn();
  expect(await following).toMatchObject({ epoch: 0, paused: true });
});

test('the store keeps the old state when a change throws, and goes on', async () => {
  const { store } = await storeOnDisk();
  const failing = store.update(() => {
    throw new Error('no such slot');
  });
  await expect(failing).rejects.toThrow('no such slot');
  expect(await store.update(nextEpoch)).toMatchObject({ epoch: 1 });
});

test('the store stops telling a listener whose signal is aborted', async () => {
  const { store } = await storeOnDisk();
  const heard: number[] = [];
  const listening = new AbortController();
  store.onChange(({ epoch }) => heard.push(epoch), listening.signal);
  await store.update(nextEpoch);
  listening.abort();
  await store.update(nextEpoch);
  expect(heard).toEqual([1]);
});

test('the store lets the updates before a freeze end, and applies none after it', async () => {
  const { store, waiting, turn } = storeOnSlowDisk();
  const before = store.update(nextEpoch);
  const frozen = store.freeze();
  let ended = false;
  const end = () => {
    ended = true;
  };
  void store.update(nextEpoch).then(end, end);
  await turn();
  await frozen;
  expect(await before).toMatchObject({ epoch: 1 });
  void store.update(nextEpoch).then(end, end);
  await soon();
  expect({ ended, epoch: store.state.epoch, writes: waiting.length }).toEqual({
    ended: false,
    epoch: 1,
    writes: 0,
  });
});

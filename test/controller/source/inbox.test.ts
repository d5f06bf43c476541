import { expect, test } from 'vitest';
import { buildOrder, type Order, rollbackOrder } from '../../../src/controller/promotion/order.ts';
import type { BuildReason as Reason } from '../../../src/controller/source/decide.ts';
import { createInbox, type Inbox } from '../../../src/controller/source/inbox.ts';
import type { Trigger } from '../../../src/slots/trigger.ts';
import { until } from '../../support/until.ts';

type BuildReason = Reason | null;

const DEBOUNCE_MS = 20;

const changed = async (): Promise<BuildReason> => 'changed';
const unchanged = async (): Promise<BuildReason> => null;

function inboxThatIs(paused = false) {
  const state = { paused };
  return { state, inbox: createInbox(() => state.paused, DEBOUNCE_MS) };
}

/** What came out so far of an inbox that somebody waits for. */
function waitFor(inbox: Inbox, reason: (trigger: Trigger) => Promise<BuildReason>) {
  const came: Order[] = [];
  void inbox.next(reason).then((order) => came.push(order));
  return came;
}

/** As long as an inbox that is not paused holds back an edit. */
async function quietTime(): Promise<void> {
  const { inbox } = inboxThatIs();
  inbox.edited('a.md');
  await inbox.next(changed);
}

const rollback = (): Order => rollbackOrder(null);

test('edits become one build order, with every changed file once and in order', async () => {
  const { inbox } = inboxThatIs();
  for (const path of ['b.md', 'a.md', 'b.md']) inbox.edited(path);
  expect(inbox.pending()).toBe(3);
  expect(await inbox.next(changed)).toMatchObject({
    kind: 'build',
    trigger: 'edit',
    release: null,
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  expect(inbox.takeChanges()).toEqual(['a.md', 'b.md']);
  expect(inbox.pending()).toBe(0);
  expect(inbox.takeChanges()).toEqual([]);
});

test('edits wait while something of ours changes the files, and an order does not', async () => {
  const { inbox } = inboxThatIs();
  const done = [inbox.hold(), inbox.hold()];
  const came = waitFor(inbox, changed);
  inbox.edited('a.md');
  await quietTime();
  done[0]?.();
  await quietTime();
  expect(came).toEqual([]);
  const push = buildOrder('push');
  inbox.order(push);
  await until(() => came.length === 1, 'the order');
  expect(came[0]).toBe(push);

  const edits = waitFor(inbox, changed);
  done[1]?.();
  await until(() => edits.length === 1, 'the edit');
});

test('edits that were being looked at when something of ours began to change the files wait too', async () => {
  const { inbox } = inboxThatIs();
  let done = () => {};
  const came = waitFor(inbox, async () => {
    if (came.length === 0 && inbox.pending() === 1) done = inbox.hold();
    return 'changed';
  });
  inbox.edited('a.md');
  await quietTime();
  await quietTime();
  expect(came).toEqual([]);
  done();
  inbox.edited('b.md');
  await until(() => came.length === 1, 'the edit');
});

test('edits are waited for until they come', async () => {
  const { inbox } = inboxThatIs();
  const came = waitFor(inbox, changed);
  inbox.edited('a.md');
  await until(() => came.length === 1, 'the order');
});

test('edits are built only when the files have been quiet for the whole of debounceMs', async () => {
  const { inbox } = inboxThatIs();
  let lastEdit = 0;
  let edits = 0;
  const typing = setInterval(() => {
    inbox.edited('a.md');
    lastEdit = performance.now();
    if (++edits === 10) clearInterval(typing);
  }, 5);
  await inbox.next(changed);
  expect(performance.now() - lastEdit).toBeGreaterThanOrEqual(DEBOUNCE_MS - 1);
  clearInterval(typing);
});

test('edits that leave the source as it was build nothing and are forgotten', async () => {
  const { inbox } = inboxThatIs();
  let looks = 0;
  const came = waitFor(inbox, async () => {
    looks++;
    return null;
  });
  inbox.edited('a.md');
  await until(() => looks === 1 && inbox.pending() === 0, 'the edit to be forgotten');
  expect(inbox.takeChanges()).toEqual([]);
  expect(came).toEqual([]);
});

test('edits that come while the source is read lead to another look', async () => {
  const { inbox } = inboxThatIs();
  const reasons: BuildReason[] = [null, 'changed'];
  inbox.edited('a.md');
  const order = await inbox.next(async () => {
    const reason = reasons.shift() ?? null;
    if (reasons.length === 1) inbox.edited('b.md');
    return reason;
  });
  expect(order.trigger).toBe('edit');
  expect(inbox.takeChanges()).toEqual(['a.md', 'b.md']);
});

test('edits that come after a build has begun are built next', async () => {
  const { inbox } = inboxThatIs();
  inbox.edited('a.md');
  await inbox.next(changed);
  inbox.takeChanges();
  inbox.edited('b.md');
  expect(await inbox.next(changed)).toMatchObject({ trigger: 'edit' });
  expect(inbox.takeChanges()).toEqual(['b.md']);
});

test('edits are still there when the source could not be read', async () => {
  const { inbox } = inboxThatIs();
  inbox.edited('a.md');
  const failing = inbox.next(() => Promise.reject(new Error('EIO')));
  await expect(failing).rejects.toThrow('EIO');
  expect(await inbox.next(changed)).toMatchObject({ trigger: 'edit' });
});

test('edits that a rescan has found are built, and neither counted nor listed: their events count', async () => {
  const { inbox } = inboxThatIs();
  inbox.edited('');
  expect(await inbox.next(changed)).toMatchObject({ trigger: 'edit' });
  expect([inbox.pending(), inbox.takeChanges()]).toEqual([0, []]);
});

test('edits: beyond a hundred files are counted but not listed', async () => {
  const { inbox } = inboxThatIs();
  for (let file = 0; file < 5000; file++) inbox.edited(`${file}.md`);
  expect(inbox.pending()).toBe(5000);
  expect(inbox.takeChanges()).toHaveLength(100);
});

test('a pause holds edits back until it is over', async () => {
  const { inbox, state } = inboxThatIs(true);
  let looks = 0;
  const came = waitFor(inbox, async () => {
    looks++;
    return 'changed';
  });
  inbox.edited('a.md');
  await quietTime();
  expect([looks, came]).toEqual([0, []]);
  state.paused = false;
  inbox.lookForChanges('resume');
  await until(() => came.length === 1, 'the edit after the pause');
  expect(inbox.takeChanges()).toEqual(['a.md']);
});

test('a pause that comes while the source is read holds its edit back too', async () => {
  const { inbox, state } = inboxThatIs();
  let looks = 0;
  inbox.edited('a.md');
  const came = waitFor(inbox, async () => {
    looks++;
    state.paused = looks === 1;
    return 'changed';
  });
  await until(() => looks === 1, 'the first look');
  await new Promise((resolve) => setImmediate(resolve));
  expect(came).toEqual([]);
  state.paused = false;
  inbox.lookForChanges('resume');
  await until(() => came.length === 1, 'the edit after the pause');
});

test('a pause does not hold back what a person asks for', async () => {
  const { inbox } = inboxThatIs(true);
  inbox.edited('a.md');
  const order = buildOrder('promote');
  inbox.order(order);
  expect(await inbox.next(changed)).toBe(order);
});

test('a look for changes names what it was for, and builds only what has changed', async () => {
  const { inbox } = inboxThatIs();
  inbox.lookForChanges('start');
  expect(await inbox.next(changed)).toMatchObject({ trigger: 'start', kind: 'build' });
  inbox.lookForChanges('resume');
  const came = waitFor(inbox, unchanged);
  inbox.order(buildOrder('promote'));
  await until(() => came.length === 1, 'the next order');
  expect(came[0]).toMatchObject({ trigger: 'promote' });
});

test('a look for changes that is asked for while another reads the files is not forgotten', async () => {
  const { inbox } = inboxThatIs();
  const seen: string[] = [];
  inbox.lookForChanges('start');
  const came = waitFor(inbox, async (trigger) => {
    seen.push(trigger);
    if (trigger !== 'start') return 'changed';
    inbox.lookForChanges('resume');
    return null;
  });
  await until(() => came.length === 1, 'the order of the second look');
  expect(seen).toEqual(['start', 'resume']);
});

test('a look for changes that finds a release nobody can vouch for builds it again, and says so', async () => {
  const { inbox } = inboxThatIs();
  inbox.lookForChanges('start');
  expect(await inbox.next(async () => 'unsettled')).toMatchObject({ trigger: 'unsettled' });
});

test('orders come in the order in which they were given, before any edit', async () => {
  const { inbox } = inboxThatIs();
  const orders = [buildOrder('promote'), buildOrder('build')];
  inbox.edited('a.md');
  for (const order of orders) inbox.order(order);
  expect(await inbox.next(changed)).toBe(orders[0]);
  expect(await inbox.next(changed)).toBe(orders[1]);
  expect(await inbox.next(changed)).toMatchObject({ trigger: 'edit' });
});

test('orders to roll back come first', async () => {
  const { inbox } = inboxThatIs();
  const promote = buildOrder('promote');
  const back = rollback();
  inbox.order(promote);
  inbox.order(back);
  expect(await inbox.next(changed)).toBe(back);
  expect(await inbox.next(changed)).toBe(promote);
});

test('orders do not wait for files to be quiet', async () => {
  const inbox = createInbox(() => false, 60_000);
  inbox.edited('a.md');
  const came = waitFor(inbox, changed);
  const order = buildOrder('promote');
  inbox.order(order);
  await until(() => came[0] === order, 'the order');
});

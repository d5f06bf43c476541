import { expect, test } from 'vitest';
import { type ReportFacts, report } from '../../../src/controller/fleet/report.ts';
import { emptyView } from '../../../src/controller/fleet/view.ts';
import { desired, heard } from './records.ts';

function facts(changes: Partial<ReportFacts> = {}): ReportFacts {
  const view = emptyView();
  view.desired = { value: desired(), revision: 1 };
  for (const one of [heard('web1'), heard('web2', { notReady: 'it drains' }, -5000)]) {
    view.heard.set(one.presence.id, one);
  }
  const seen = (id: string, at: number) =>
    view.seen.set(id, { value: { id, address: 'a:1', release: 'r3', epoch: 3, at }, revision: 1 });
  seen('web1', 0);
  seen('web2', 90_000);
  seen('web9', 10_000);
  const config = { group: 'blog', id: 'web1', leaseMs: 3000, forgetMs: 60_000 };
  const self = heard('web1').presence;
  const when = { now: 0, serverNow: 100_000 };
  return {
    config,
    view,
    self,
    isConnected: true,
    problem: null,
    paused: false,
    ...when,
    ...changes,
  };
}

test('a silent machine is listed as not ready until it is forgotten', () => {
  const { machines, release, epoch } = report(facts());
  expect({ release, epoch }).toEqual({ release: 'r3', epoch: 3 });
  expect(machines.map(({ id, online, ready }) => ({ id, online, ready }))).toEqual([
    { id: 'web1', online: true, ready: true },
    { id: 'web2', online: false, ready: false },
  ]);
  expect(machines[1]?.why).toContain('10 s ago');
});

test('a machine that is cut off claims of no other one that it is there', () => {
  const view = facts().view;
  view.heard.set('web2', heard('web2'));
  const online = (isConnected: boolean) =>
    report(facts({ view, isConnected })).machines.filter((one) => one.online).length;
  expect(online(true)).toBe(2);
  expect(online(false)).toBe(1);
});

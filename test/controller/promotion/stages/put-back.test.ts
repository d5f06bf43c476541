import { createServer, type Server } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { App } from '../../../../src/config/ecosystem.ts';
import type { StageContext } from '../../../../src/controller/promotion/stages/context.ts';
import { putBack } from '../../../../src/controller/promotion/stages/put-back.ts';
import type { Instance } from '../../../../src/pm2.ts';
import { PID_HEADER, RELEASE_HEADER } from '../../../../src/slots/headers.ts';
import { pointSlot, slotRelease } from '../../../../src/slots/link.ts';
import { deleteRelease, readRelease } from '../../../../src/slots/release.ts';
import type { PuttingBack } from '../../../../src/slots/state.ts';
import { collectedLog } from '../../../support/collected-log.ts';
import { freePorts } from '../../../support/free-ports.ts';
import { EDIT } from '../../../support/state-model.ts';
import { putRelease, releaseIdOf, tempSite } from '../../../support/temp-site.ts';
import { testConfig } from '../../../support/test-config.ts';

const PREVIOUS = releaseIdOf(1);
const CANDIDATE = releaseIdOf(2);

/** Green still has the failed candidate, on a real disk and a real port; only PM2 is replaced. */
async function failedCandidate() {
  const paths = await tempSite();
  for (const id of [PREVIOUS, CANDIDATE]) await putRelease(paths, id);
  await pointSlot(paths, 'green', CANDIDATE);
  const [green = 0] = await freePorts(1);
  const config = testConfig({ ports: { green }, health: { deadlineMs: 2000 } });
  const { log, events } = collectedLog();
  const calls: string[] = [];
  let server: Server | undefined;
  let beforeStart = async (): Promise<void> => {};

  const end = () =>
    new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));

  async function listen(release: string): Promise<void> {
    const headers = { [RELEASE_HEADER]: release, [PID_HEADER]: String(process.pid) };
    const started = createServer((_request, response) => response.writeHead(200, headers).end());
    server = started;
    await new Promise<void>((resolve) => started.listen(green, '127.0.0.1', resolve));
    onTestFinished(() => void started.close());
  }

  const pm2 = {
    async renew({ name }: App, how: string) {
      calls.push(`${how} ${name}`);
      await end();
      await beforeStart();
      const release = await slotRelease(paths, 'green');
      // An instance whose release is gone has nothing to load and ends.
      if (release && (await readRelease(paths, release).catch(() => null))) await listen(release);
    },
    async stop(app: string) {
      calls.push(`stop ${app}`);
      await end();
      server = undefined;
    },
    async instances() {
      const status = server?.listening ? 'online' : 'errored';
      return [{ pid: process.pid, status, exitCode: 1 } as Instance];
    },
  };
  const workers = { inflight: () => 0, nextReport: async () => {}, cut() {} };
  await listen(CANDIDATE);
  return {
    paths,
    calls,
    events,
    onStart(happens: () => Promise<void>) {
      beforeStart = happens;
    },
    isListening: () => server?.listening ?? false,
    putBack: (previous: string | null) => {
      const promotion: PuttingBack = {
        ...EDIT,
        durationsMs: {},
        kind: 'build',
        step: 'put back',
        slot: 'green',
        release: CANDIDATE,
        previous,
        failure: { stage: 'check', message: 'it broke' },
      };
      const context = { config, paths, pm2, workers, log } as unknown as StageContext;
      return putBack(context, promotion);
    },
  };
}

test('a put-back serves the previous release from the slot again', async () => {
  const site = await failedCandidate();
  await site.putBack(PREVIOUS);
  expect(await slotRelease(site.paths, 'green')).toBe(PREVIOUS);
  expect(site.calls).toEqual(['restart site-green']);
  expect(site.isListening()).toBe(true);
});

test('a put-back of a slot that was empty stops it and takes its link away', async () => {
  const site = await failedCandidate();
  await site.putBack(null);
  expect(await slotRelease(site.paths, 'green')).toBeNull();
  expect(site.calls).toEqual(['stop site-green']);
});

test('a put-back whose release is gone before it begins stops the slot and says that the release is unknown', async () => {
  const site = await failedCandidate();
  await deleteRelease(site.paths, PREVIOUS);
  await expect(site.putBack(PREVIOUS)).rejects.toMatchObject({ code: 'RELEASE_UNKNOWN' });
  expect(await slotRelease(site.paths, 'green')).toBeNull();
  expect(site.calls).toEqual(['stop site-green']);
  expect(site.isListening()).toBe(false);
});

test('a put-back whose release vanishes while its processes start stops the slot and says that the release is unknown', async () => {
  const site = await failedCandidate();
  site.onStart(() => deleteRelease(site.paths, PREVIOUS));
  await expect(site.putBack(PREVIOUS)).rejects.toMatchObject({ code: 'RELEASE_UNKNOWN' });
  expect(await slotRelease(site.paths, 'green')).toBeNull();
  expect(site.calls).toEqual(['restart site-green', 'stop site-green']);
  expect(site.isListening()).toBe(false);
});

test('a put-back whose first start dies tries again and succeeds', async () => {
  const site = await failedCandidate();
  let starts = 0;
  site.onStart(async () => {
    if (++starts === 1) throw new Error('PM2 did not answer');
  });
  await site.putBack(PREVIOUS);
  expect(site.calls).toEqual(['restart site-green', 'restart site-green']);
  expect(site.events('slot.retry')).toMatchObject([{ error: 'PM2 did not answer' }]);
  expect(site.isListening()).toBe(true);
});

test('a put-back that fails with its release still there leaves the link on it, for the next attempt', async () => {
  const site = await failedCandidate();
  site.onStart(() => Promise.reject(new Error('PM2 did not answer')));
  await expect(site.putBack(PREVIOUS)).rejects.toThrow('PM2 did not answer');
  expect(await slotRelease(site.paths, 'green')).toBe(PREVIOUS);
  expect(site.calls).toEqual(Array(3).fill('restart site-green'));
});

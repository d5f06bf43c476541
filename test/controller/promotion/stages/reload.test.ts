import { expect, test } from 'vitest';
import type { StageContext } from '../../../../src/controller/promotion/stages/context.ts';
import { reload } from '../../../../src/controller/promotion/stages/reload.ts';
import { pointSlot, slotRelease } from '../../../../src/slots/link.ts';
import { deleteRelease } from '../../../../src/slots/release.ts';
import { type Candidate, EMPTY_STATE } from '../../../../src/slots/state.ts';
import { collectedLog } from '../../../support/collected-log.ts';
import { EDIT } from '../../../support/state-model.ts';
import { putRelease, releaseIdOf, tempSite } from '../../../support/temp-site.ts';
import { testConfig } from '../../../support/test-config.ts';

const RETIRED = releaseIdOf(1);
const LIVE = releaseIdOf(2);

test.each([
  ['before the reload', 'stop site-blue'],
  ['while its processes start', 'reload site-blue, stop site-blue'],
])('a retired slot whose release vanishes %s is stopped', async (when, expected) => {
  const paths = await tempSite();
  for (const id of [RETIRED, LIVE]) await putRelease(paths, id);
  await pointSlot(paths, 'blue', RETIRED);
  const calls: string[] = [];
  const vanish = () => deleteRelease(paths, RETIRED);
  const pm2 = {
    async renew({ name }: { name: string }, how: string) {
      calls.push(`${how} ${name}`);
      await vanish();
      throw new Error('no instance listens');
    },
    async stop(app: string) {
      calls.push(`stop ${app}`);
    },
  };
  if (when === 'before the reload') await vanish();
  const slots = { blue: { release: RETIRED }, green: { release: LIVE } };
  const state = { ...EMPTY_STATE, active: 'green' as const, slots };
  const { log } = collectedLog();
  const parts = { config: testConfig(), paths, pm2, store: { state }, log };
  const promotion: Candidate = {
    ...EDIT,
    kind: 'build',
    durationsMs: {},
    step: 'reload',
    slot: 'green',
    release: LIVE,
    previous: null,
  };
  await expect(reload(parts as unknown as StageContext, promotion)).rejects.toMatchObject({
    code: 'RELEASE_UNKNOWN',
  });
  expect(calls.join(', ')).toBe(expected);
  expect(await slotRelease(paths, 'blue')).toBeNull();
});

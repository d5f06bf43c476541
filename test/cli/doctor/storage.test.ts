import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import {
  checkAssets,
  checkDisk,
  checkPartials,
  checkSecrets,
  checkSlotsFolder,
  checkSocket,
} from '../../../src/cli/doctor/storage.ts';
import { checkMovedWrites, checkSiteWrites } from '../../../src/cli/doctor/writes.ts';
import { indexFile } from '../../../src/slots/assets-index.ts';
import { writesFile } from '../../../src/slots/paths.ts';
import { createPartial } from '../../../src/slots/release.ts';
import { sharedKeys } from '../../../src/slots/secrets.ts';
import { EMPTY_STATE } from '../../../src/slots/state.ts';
import { doctorFacts } from '../../support/doctor-facts.ts';
import { putKeptFiles } from '../../support/kept-files.ts';
import { putFile, putRelease, releaseIdOf, tempSite } from '../../support/temp-site.ts';
import { testConfig } from '../../support/test-config.ts';

test('slots/ may be missing as long as it can be made', async () => {
  const paths = await tempSite();
  expect(await checkSlotsFolder(doctorFacts(paths))).toMatchObject([{ level: 'ok' }]);
});

test('slots/ that everybody may write to is a warning', async () => {
  const paths = await tempSite();
  await mkdir(paths.slots);
  await chmod(paths.slots, 0o777);
  const [check] = await checkSlotsFolder(doctorFacts(paths));
  expect(check).toMatchObject({ level: 'warning', hint: `chmod o-w ${paths.slots}` });
});

test('a control socket that others may use is a problem', async () => {
  const paths = await tempSite();
  await mkdir(paths.slots);
  expect(await checkSocket(doctorFacts(paths))).toMatchObject([{ level: 'ok' }]);
  const server = createServer().listen(paths.controlSocket);
  onTestFinished(() => void server.close());
  await new Promise((listening) => server.once('listening', listening));
  const facts = doctorFacts(paths, { controllerPid: 1 });
  await chmod(paths.controlSocket, 0o600);
  expect(await checkSocket(facts)).toMatchObject([{ level: 'ok' }]);
  await chmod(paths.controlSocket, 0o660);
  const hint = `chmod 600 ${paths.controlSocket}`;
  expect(await checkSocket(facts)).toMatchObject([{ level: 'problem', hint }]);
});

test('the disk is judged by the size of a release', async () => {
  const paths = await tempSite();
  const release = await putRelease(paths, releaseIdOf(1));
  await writeFile(`${paths.releases}/${release.id}/dist/big`, Buffer.alloc(3 * 1024 * 1024));
  const [check] = await checkDisk(doctorFacts(paths));
  expect(check?.message).toMatch(/free; a release takes 3 MiB, 1 of at most 5 are kept/);
});

test('a partial that no promotion is building is a warning', async () => {
  const paths = await tempSite();
  expect(await checkPartials(doctorFacts(paths))).toEqual([]);
  const id = releaseIdOf(2);
  await createPartial(paths, id);
  expect(await checkPartials(doctorFacts(paths))).toMatchObject([{ level: 'warning' }]);
  const promotion = { id: 'p', stage: 'build', release: id, startedAt: '', trigger: 'edit' };
  const status = { promotion } as never;
  expect(await checkPartials(doctorFacts(paths, { status, controllerPid: 1 }))).toEqual([]);
});

test('a site that writes into its release is told which folder to share', async () => {
  const paths = await tempSite();
  const release = await putRelease(paths, releaseIdOf(1));
  const state = {
    ...EMPTY_STATE,
    active: 'blue' as const,
    slots: { blue: { release: release.id }, green: { release: null } },
  };
  expect(await checkSiteWrites(doctorFacts(paths, { state }))).toEqual([]);
  const line = JSON.stringify({ in: 'release', path: 'public/uploads/cat.png' });
  await writeFile(writesFile(paths, release.id), `${line}\n`);
  expect(await checkSiteWrites(doctorFacts(paths, { state }))).toMatchObject([
    { level: 'warning', hint: `name its folder in "shared" (shared: ['public/uploads'])` },
  ]);
});

test('files that were rescued from deleted releases are named until somebody moves them', async () => {
  const paths = await tempSite();
  expect(await checkMovedWrites(doctorFacts(paths))).toEqual([]);
  await putFile(paths.slots, `written/${releaseIdOf(1)}/data/rows.db`, 'rows');
  const [check] = await checkMovedWrites(doctorFacts(paths));
  expect(check).toMatchObject({ level: 'warning' });
  expect(check?.message).toContain(`slots/written/${releaseIdOf(1)}/data/rows.db`);
});

test('a framework that works in its release is told to share what it writes, before it writes', async () => {
  const paths = await tempSite();
  const facts = (framework: string, worksInRelease: boolean, shared: string[] = []) =>
    doctorFacts(paths, { config: { ...testConfig({ shared }), framework, worksInRelease } });
  const [check] = await checkSiteWrites(facts('Next.js', true));
  expect(check?.message).toContain('Next.js works in its release');
  expect(await checkSiteWrites(facts('Astro', false))).toEqual([]);
  const [shared] = await checkSiteWrites(facts('Next.js', true, ['data']));
  expect(shared?.message).toContain('links to data');
});

test('keys that others may read are a problem, and those of their owner alone are not', async () => {
  const paths = await tempSite();
  const facts = doctorFacts(paths);
  expect(await checkSecrets(facts)).toEqual([]);
  await sharedKeys(paths);
  expect(await checkSecrets(facts)).toMatchObject([{ name: 'secrets', level: 'ok' }]);
  await chmod(paths.secrets, 0o640);
  expect(await checkSecrets(facts)).toMatchObject([
    { name: 'secrets', level: 'problem', hint: expect.stringContaining('chmod 600') },
  ]);
});

test('what is kept for open tabs is counted, and an index that cannot be read is a warning', async () => {
  const paths = await tempSite();
  const facts = doctorFacts(paths);
  expect(await checkAssets(facts)).toMatchObject([{ level: 'ok' }]);
  await putKeptFiles(paths, { '/a-3f2a9c1b.js': 'one', '/b-3f2a9c1b.js': 'two' });
  expect(await checkAssets(facts)).toMatchObject([
    { level: 'ok', message: expect.stringContaining('2 hashed files') },
  ]);
  await writeFile(indexFile(paths), '{');
  expect(await checkAssets(facts)).toMatchObject([
    { name: 'assets', level: 'warning', hint: expect.stringContaining('-watcher') },
  ]);
});

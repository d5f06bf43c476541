import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import {
  checkDisk,
  checkPartials,
  checkSlotsFolder,
  checkSocket,
} from '../../../src/cli/doctor/storage.ts';
import { createPartial } from '../../../src/slots/release.ts';
import { doctorFacts } from '../../support/doctor-facts.ts';
import { putRelease, releaseIdOf, tempSite } from '../../support/temp-site.ts';

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

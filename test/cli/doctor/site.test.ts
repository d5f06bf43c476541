import { once } from 'node:events';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runGroups } from '../../../src/cli/doctor/check.ts';
import {
  checkBuildCommand,
  checkConfig,
  checkFramework,
  checkWatchPaths,
} from '../../../src/cli/doctor/config-checks.ts';
import { loadLeniently } from '../../../src/cli/doctor/lenient-config.ts';
import { checkPorts } from '../../../src/cli/doctor/ports.ts';
import { renderDoctor } from '../../../src/cli/doctor/render.ts';
import {
  checkEntries,
  checkLinks,
  checkMaintenance,
  checkState,
} from '../../../src/cli/doctor/state-checks.ts';
import { SlotsError } from '../../../src/errors.ts';
import { takeRunSocket } from '../../../src/slots/run-socket.ts';
import { EMPTY_STATE, type State } from '../../../src/slots/state.ts';
import { doctorFacts } from '../../support/doctor-facts.ts';
import { freePorts } from '../../support/free-ports.ts';
import { putRelease, releaseIdOf, tempSite } from '../../support/temp-site.ts';

test('the config is taken as far as it is right, key by key', async () => {
  const user = { name: 'shop', keep: 'many', colour: 'red', ports: { proxy: 8080 } };
  const paths = await tempSite({ 'slots.config.json': JSON.stringify(user) });
  const { config, error } = loadLeniently(paths.root);
  expect(config).toMatchObject({ name: 'shop', keep: 5, ports: { proxy: 8080 } });
  const checks = checkConfig(doctorFacts(paths, { configError: error }));
  expect(checks.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^slots\.config\.json: keep: "many" \(expected number/),
    'slots.config.json: colour: no such key',
  ]);
  expect(checks.every(({ level }) => level === 'problem')).toBe(true);
});

test.each(['{', '[]', '"x"'])('the config is at its defaults when it says %s', async (text) => {
  const paths = await tempSite({ 'slots.config.json': text });
  const { config, error } = loadLeniently(paths.root);
  expect(config.ports.proxy).toBe(4321);
  expect(error).toBeInstanceOf(SlotsError);
});

test('the config without a build is a problem only where no framework is known', async () => {
  const plain = await tempSite({ 'package.json': '{"name":"x"}' });
  const { error } = loadLeniently(plain.root);
  expect(checkFramework(doctorFacts(plain, { configError: error }))).toMatchObject([
    { level: 'problem' },
  ]);
  const astro = await tempSite({ 'package.json': '{"name":"x","dependencies":{"astro":"7"}}' });
  expect(checkFramework(doctorFacts(astro))).toMatchObject([{ level: 'ok', message: 'Astro' }]);
});

test('a build whose program is not installed is a problem', async () => {
  const paths = await tempSite();
  const level = (build: string | string[]) => checkBuildCommand(doctorFacts(paths, {}, { build }));
  expect(level(['no-such-program-x'])).toMatchObject([{ level: 'problem' }]);
  expect(level(['node', 'build.mjs'])).toMatchObject([{ level: 'ok' }]);
  expect(level('no-such-program-x && true')).toMatchObject([{ level: 'ok' }]);
});

test('watched paths: one that is missing is a warning, all are a problem', async () => {
  const paths = await tempSite({ 'src/content/a.md': '' });
  const level = (...watch: string[]) =>
    checkWatchPaths(doctorFacts(paths, {}, { watch }))[0]?.level;
  expect(level('src/content')).toBe('ok');
  expect(level('src/content', 'gone')).toBe('warning');
  expect(level('gone', 'gone-too')).toBe('problem');
});

test('a build that is none, or comes after an install, needs no program in the site', async () => {
  const paths = await tempSite();
  const check = (build: string[] | false, install?: string) =>
    checkBuildCommand(doctorFacts(paths, {}, { build, install }));
  expect(check(false)).toMatchObject([{ level: 'ok', message: expect.stringContaining('copied') }]);
  expect(check(['no-such-program'], 'npm ci')).toMatchObject([{ level: 'ok' }]);
});

test('folders that a preset lists and the site has not are no mistake', async () => {
  const paths = await tempSite({
    'package.json': '{"name":"x","dependencies":{"next":"16"}}',
    'app/page.js': '',
  });
  const { watch } = loadLeniently(paths.root).config;
  const check = (more: string[]) => checkWatchPaths(doctorFacts(paths, {}, { watch: more }));
  expect(check(watch)).toMatchObject([{ level: 'ok', message: 'app, package.json' }]);
  expect(check([...watch, 'docs'])).toMatchObject([{ level: 'warning' }]);
});

test('what a framework still needs is a warning', async () => {
  const paths = await tempSite({ 'package.json': '{"name":"x","dependencies":{"next":"16"}}' });
  expect(checkFramework(doctorFacts(paths))).toMatchObject([
    { level: 'warning', hint: expect.stringContaining('standalone') },
  ]);
});

test('a port that another program has names that program', async () => {
  const [proxy = 0, blue = 0, green = 0, admin = 0] = await freePorts(4);
  const server = createServer().listen(blue, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const user = { ports: { proxy, blue, green, admin } };
  const paths = await tempSite();
  const facts = doctorFacts(paths, {}, user);
  const checks = await checkPorts(facts);
  expect(checks.map(({ level }) => level)).toEqual(['ok', 'problem', 'ok', 'ok']);
  expect(checks[1]).toMatchObject({ name: 'ports.blue' });
  expect(checks[1]?.message).toContain(`${blue} is taken by process ${process.pid} (`);

  // As a promotion's candidate is, of which PM2 was not asked yet.
  const socket = await takeRunSocket(join(paths.run, 'blue-0.sock'), () => {});
  onTestFinished(() => socket.leave());
  expect((await checkPorts(facts))[1]).toMatchObject({ level: 'ok' });
});

test('an address that this machine does not have is a problem', async () => {
  const [proxy = 0, blue = 0, green = 0, admin = 0] = await freePorts(4);
  const user = { host: '192.0.2.1', ports: { proxy, blue, green, admin } };
  const [check] = await checkPorts(doctorFacts(await tempSite(), {}, user));
  expect(check).toMatchObject({ level: 'problem', hint: expect.stringContaining('"host"') });
});

const state: State = {
  ...EMPTY_STATE,
  active: 'blue',
  slots: { blue: { release: releaseIdOf(2) }, green: { release: releaseIdOf(1) } },
};

test('the state that cannot be read is a problem, and the links are not judged by it', async () => {
  const paths = await tempSite();
  const stateError = new SlotsError('STATE_BAD', 'not a state', { hint: 'wait' });
  const facts = doctorFacts(paths, { stateError });
  expect(checkState(facts)).toMatchObject([{ level: 'problem', message: 'not a state' }]);
  await mkdir(paths.slots);
  await symlink(`releases/${releaseIdOf(1)}`, join(paths.slots, 'blue'));
  expect(await checkLinks(facts)).toEqual([]);
  expect(await checkLinks(doctorFacts(paths))).toMatchObject([{ level: 'warning' }]);
});

test('doctor warns of a maintenance that somebody may have forgotten', async () => {
  const paths = await tempSite();
  const page = { message: null, allow: [], since: '2026-01-31T12:00:00.000Z' };
  expect(checkMaintenance(doctorFacts(paths, { state }))).toEqual([]);
  const off = { ...state, maintenance: { page: null, alone: true } };
  expect(checkMaintenance(doctorFacts(paths, { state: off }))).toEqual([]);
  const on = { ...state, maintenance: { page } };
  expect(checkMaintenance(doctorFacts(paths, { state: on }))).toMatchObject([
    { level: 'warning', hint: expect.stringContaining('slots maintenance off') },
  ]);
});

test('the state needs the entry of the active release, and would like that of the standby', async () => {
  const paths = await tempSite();
  const facts = doctorFacts(paths, { state });
  await putRelease(paths, releaseIdOf(1));
  await putRelease(paths, releaseIdOf(2));
  expect((await checkEntries(facts)).map(({ level }) => level)).toEqual(['ok', 'ok']);
  for (const id of [1, 2]) await rm(join(paths.releases, releaseIdOf(id), 'dist/server.mjs'));
  expect((await checkEntries(facts)).map(({ level }) => level)).toEqual(['problem', 'warning']);
  await writeFile(paths.history, '');
  await rm(paths.releases, { recursive: true });
  expect((await checkEntries(facts)).map(({ level }) => level)).toEqual(['problem', 'warning']);
});

test('a check that breaks is a problem and stops no other', async () => {
  const broken = () => Promise.reject(new Error('boom'));
  const fine = () => [{ name: 'node', level: 'ok', message: 'v24' } as const];
  const results = await runGroups([{ title: 'machine', checks: [broken, fine] }]);
  expect(renderDoctor(results)).toBe(
    [
      'machine',
      '  problem  machine  could not be checked: boom',
      '  ok       node     v24',
      '',
      '1 problem, 0 warnings',
    ].join('\n'),
  );
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkClock, checkInotify, checkNode } from '../../../src/cli/doctor/machine.ts';
import { doctorFacts } from '../../support/doctor-facts.ts';
import { putRelease, releaseIdOf, tempSite } from '../../support/temp-site.ts';

test.each([
  ['v22.21.1', 'problem'],
  ['v22.22.0', 'ok'],
  ['v24.0.0', 'ok'],
  ['v20.20.2', 'problem'],
])('Node %s is a %s', (version, level) => {
  expect(checkNode(version)).toMatchObject([{ name: 'node', level }]);
});

test('a clock before slots existed is a problem', async () => {
  const facts = doctorFacts(await tempSite());
  expect(await checkClock(facts, 0)).toMatchObject([
    { level: 'problem', hint: expect.stringContaining('set it') },
  ]);
});

test('a clock behind the newest release is a problem, for it would be pruned last', async () => {
  const paths = await tempSite();
  const createdAt = '2026-01-02T00:00:00.000Z';
  await putRelease(paths, releaseIdOf(1), { createdAt });
  const at = Date.parse(createdAt);
  const facts = doctorFacts(paths);
  expect(await checkClock(facts, at - 120_000)).toMatchObject([{ level: 'problem' }]);
  expect(await checkClock(facts, at - 10_000)).toMatchObject([{ level: 'ok' }]);
});

test.each([
  ['100', 'ok'],
  ['5', 'warning'],
  ['3', 'problem'],
])('three watches of a limit of %s are: %s', async (limit, level) => {
  const paths = await tempSite({ 'src/content/a.md': '', 'src/content/b.md': '' });
  const file = join(paths.root, 'limit');
  await writeFile(file, `${limit}\n`);
  const [check] = await checkInotify(doctorFacts(paths), file);
  expect(check).toMatchObject({ name: 'inotify', level });
  expect(check?.message).toContain('3 watches for 2 files');
});

test('polling needs no inotify', async () => {
  const facts = doctorFacts(await tempSite(), {}, { usePolling: true });
  expect(await checkInotify(facts, '/none')).toMatchObject([{ level: 'ok' }]);
});

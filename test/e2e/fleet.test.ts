import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { allReady, allServe, twoMachines } from '../support/fleet.ts';
import { startLoad } from '../support/load.ts';
import { lacking, skipFor } from '../support/needs.ts';
import { PLAIN_PATHS } from '../support/plain-site.ts';

test('two machines serve one release: an edit on either goes live on both, and so does a rollback', async ({
  skip,
}) => {
  skipFor(skip, lacking('nats-server'));
  const { web1, web2, both: machines } = await twoMachines();
  const first = await allReady(machines);
  const options = { paths: PLAIN_PATHS, keepAlive: 2, fresh: 1, slow: 0 };
  const loads = machines.map(({ origin }) => startLoad(origin, options));

  await web1.edit('page.txt', 'from web1');
  await allServe(machines, 'from web1');
  await allReady(machines);

  await web2.edit('other.txt', 'from web2');
  const both = await web2.settled();
  expect(both.last).toMatchObject({ outcome: 'promoted' });
  const third = await allReady(machines);
  await allServe(machines, 'from web1');

  expect(await web1.slots('rollback', first)).toMatchObject({ exitCode: 0 });
  expect(await allReady(machines)).toBe(first);
  expect((await web2.status()).watcher.paused).toBe(true);
  expect(third).not.toBe(first);
  // What was rolled back stays in the files, for whoever resumes.
  for (const { root } of machines) {
    expect(await readFile(join(root, 'src/content/page.txt'), 'utf8')).toBe('from web1');
    expect(await readFile(join(root, 'src/content/other.txt'), 'utf8')).toBe('from web2');
  }
  expect(await web2.slots('resume')).toMatchObject({ exitCode: 0 });
  await allServe(machines, 'from web1');
  await allReady(machines);

  for (const load of loads) {
    const { failures, failed } = await load.stop();
    expect(failures).toEqual([]);
    expect(failed).toBe(0);
  }
});

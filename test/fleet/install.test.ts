import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { allServe, machine, startAll } from '../support/fleet.ts';
import { natsServer } from '../support/nats.ts';
import { lacking, skipFor } from '../support/needs.ts';

test('a release with dependencies of its own gets those of each machine, which installs them by itself', async ({
  skip,
}) => {
  skipFor(skip, lacking('nats-server'));
  const nats = await natsServer();
  const install = 'mkdir -p node_modules/dep && cp package-lock.json node_modules/dep/index.json';
  const options = { config: { install } };
  const both = [
    await machine('web1', nats.url, options),
    await machine('web2', nats.url, options),
  ] as const;
  for (const { root } of both) await writeFile(join(root, 'package-lock.json'), '"one"');
  await startAll(both);
  await both[0].edit('page.txt', 'with packages');
  await allServe(both, 'with packages');
  const { release } = await both[1].get();
  const packages = join(both[1].root, 'slots/releases', release as string, 'node_modules');
  expect(await readdir(packages)).toContain('dep');
});

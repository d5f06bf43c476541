import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Behaviour } from '../support/plain-site.ts';
import { until } from '../support/until.ts';
import { faultSite, pageOf, untilLive } from './fault-site.ts';
import { readStateAllTheTime } from './state-reader.ts';
import { isFull, recordFault } from './table.ts';

/** Stops before it reads the content and again after it, for as long as the site has a file of this name. */
const HELD_BUILD = `
const { existsSync, writeFileSync } = await import('node:fs');
const { spawnSync } = await import('node:child_process');
const wait = (name) => {
  while (existsSync(name)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
};
wait('hold-read');
const { status } = spawnSync('node', ['build.mjs', process.argv[1]], { stdio: 'inherit' });
if (existsSync('hold-end')) writeFileSync('has-read', '');
wait('hold-end');
process.exit(status);
`;

const BAD: [string, Behaviour][] = [
  ['a build that fails', { buildExit: 3 }],
  ['a candidate that crashes', { crashAtStart: true }],
];

test.each(isFull ? BAD : BAD.slice(0, 1))(
  'an edit is not lost that was read together with %s',
  async (what, behaviour) => {
    const build = ['node', '--input-type=module', '-e', HELD_BUILD, '{outDir}'];
    const site = await faultSite({ config: { build } });
    const file = (name: string) => join(site.root, name);
    for (const name of ['hold-read', 'hold-end']) await writeFile(file(name), '');
    const reader = readStateAllTheTime(site.root);
    const building = reader.at('build', () => {});
    await site.edit('page.txt', pageOf(2));
    await building;
    await until(async () => (await site.status()).promotion?.release, 'the source to be read');
    const begun = performance.now();
    await site.behave(behaviour);
    await rm(file('hold-read'));
    await until(() => existsSync(file('has-read')), 'the build to have read the content');
    await site.behave({});
    await rm(file('hold-end'));
    await untilLive(site, 2);
    reader.stop();
    recordFault({
      row: 5,
      fault: `${what}, put back before it ended`,
      injected: 1,
      requests: 0,
      failed: 0,
      editsLost: 0,
      recoveryMs: [performance.now() - begun],
    });
    expect((await site.status()).last).toMatchObject({ outcome: 'promoted' });
  },
);

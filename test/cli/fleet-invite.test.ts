import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readFleetKey } from '../../src/slots/fleet-key.ts';
import type { SitePaths } from '../../src/slots/paths.ts';
import { readSharedKeys } from '../../src/slots/secrets.ts';
import { tempSite } from '../support/temp-site.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

interface Run {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** `slots fleet …` in a site, with this on its stdin. */
function fleet({ root }: SitePaths, args: string[], input = ''): Promise<Run> {
  return new Promise((resolve) => {
    const argv = [MAIN, '-C', root, 'fleet', ...args];
    const child = execFile(process.execPath, argv, (error, stdout, stderr) => {
      resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}

function machine(config = "fleet: { servers: ['nats://127.0.0.1:4222'], id: 'one' }") {
  return tempSite({
    'slots.config.mjs': `export default { name: 'blog', build: false, copy: [{ from: 'public' }], entry: 'static:', ${config} };`,
    'public/index.html': 'home',
  });
}

test('a machine that is invited has the keys of the one that invites it, by the word alone', async () => {
  const [one, two] = [await machine(), await machine()];
  const invited = await fleet(one, ['invite']);
  expect(invited).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^slots-fleet-1_\S+\n$/),
  });
  const again = await fleet(one, ['invite']);
  expect(again.stdout).toBe(invited.stdout);
  const joined = await fleet(two, ['join'], invited.stdout);
  const fingerprint = readFleetKey(one, 'blog')?.fingerprint;
  expect(joined).toMatchObject({ exitCode: 0, stdout: `one joined blog (key ${fingerprint})\n` });
  expect(readFleetKey(two, 'blog')).toEqual(readFleetKey(one, 'blog'));
  expect(readSharedKeys(two)).toEqual(readSharedKeys(one));
  const word = invited.stdout.trim();
  expect((await fleet(two, ['join', word])).stdout).toBe(`one was in blog (key ${fingerprint})\n`);
});

test('a machine with another key is refused with both keys, and takes the new one with --force', async () => {
  const [one, two] = [await machine(), await machine()];
  const [{ stdout: word }] = await Promise.all([fleet(one, ['invite']), fleet(two, ['invite'])]);
  const before = readFleetKey(two, 'blog')?.fingerprint as string;
  const refused = await fleet(two, ['join', '-'], word);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain(`this machine has another key for the group blog: ${before}`);
  expect(readFleetKey(two, 'blog')?.fingerprint).toBe(before);
  expect((await fleet(two, ['join', '--force', '-'], word)).exitCode).toBe(0);
  expect(readFleetKey(two, 'blog')).toEqual(readFleetKey(one, 'blog'));
});

test('what is no invitation, or one to another group, changes nothing and says so', async () => {
  const [one, other] = [
    await machine(),
    await machine("fleet: { servers: ['nats://a'], group: 'shop' }"),
  ];
  const { stdout: word } = await fleet(one, ['invite']);
  const wrong = await fleet(other, ['join'], word);
  expect(wrong).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('invitation to blog'),
  });
  const cut = await fleet(one, ['join'], word.slice(0, 40));
  expect(cut).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('a part of it is missing'),
  });
  expect((await fleet(one, ['join'])).exitCode).toBe(2);
  expect(readFleetKey(other, 'shop')).toBeNull();
});

test('a site without a fleet says that its config has none', async () => {
  const site = await machine('');
  for (const args of [['invite'], ['join', 'slots-fleet-1_AAAA']]) {
    expect(await fleet(site, args)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('"fleet" is not in the config'),
    });
  }
});

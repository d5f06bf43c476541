/** Row 11: paths and names that mean something to a shell or to a terminal, and values that nobody may see. */
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { plainSite } from '../../support/plain-site.ts';
import { until } from '../../support/until.ts';
import { times } from '../table.ts';

const NASTY = `$(touch pwned) "'; touch pwned #&|*`;
const NAMES = [
  '$(touch pwned).md',
  '`touch pwned`.md',
  `it's "quoted"; touch pwned;.md`,
  '-rf',
  '--version',
  'two\nlines.md',
  '\u001b[31mred\u001b]0;title\u0007.md',
  '| touch pwned',
];

/** A folder with such a name, in which the next site is made. */
async function nastyTemp(): Promise<void> {
  const folder = join(await realpath(await mkdtemp(join(tmpdir(), 'n-'))), NASTY);
  await mkdir(folder);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  onTestFinished(async () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    await rm(join(folder, '..'), { recursive: true, force: true });
  });
}

const BUILDS: [how: string, build: string | string[]][] = [
  ['bare in a shell', 'node build.mjs {outDir}'],
  ['in a list of words', ['node', 'build.mjs', '{outDir}']],
  ['in double quotes', 'node build.mjs "{outDir}"'],
  ['in single quotes', "node build.mjs '{outDir}'"],
];

test.each(BUILDS.slice(0, times(1, BUILDS.length)))(
  'nothing is executed of the site’s path, with {outDir} %s, nor of names of files',
  async (_how, build) => {
    await nastyTemp();
    const site = await plainSite({ config: { build } });
    expect(site.root).toContain('touch pwned');
    const up = await site.slots('up');
    expect(up, up.stderr).toMatchObject({ exitCode: 0 });
    for (const name of NAMES) await writeFile(join(site.root, 'src/content', name), name);
    await site.edit('page.txt', 'second');
    await until(async () => (await site.get()).body === 'second', 'the edit', 30_000);
    await site.settled();

    for (const command of ['status', 'releases', 'history', 'doctor']) {
      const { stdout, stderr } = await site.slots(command);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
      expect(stdout + stderr, command).not.toMatch(/\u001b|\u0007/);
    }
    const everything = await readdir(join(site.root, '..'), { recursive: true });
    expect(everything.filter((path) => /(^|\/)pwned/.test(path))).toEqual([]);
    expect(await readdir('.')).not.toContain('pwned');
    expect((await site.slots('down')).exitCode).toBe(0);
  },
);

test('a value of env is in no log, no state and no status, whoever prints it', async () => {
  const secret = 'hunter2-and-more';
  const inherited = 'inherited-3f8a';
  const site = await plainSite({
    config: {
      env: { DATABASE_PASSWORD: secret },
      build:
        'echo "using $DATABASE_PASSWORD and $DEPLOY_TOKEN"; node build.mjs {outDir}; sh src/content/end.sh',
    },
  });
  site.env.DEPLOY_TOKEN = inherited;
  await site.edit('end.sh', 'true');
  const up = await site.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  await site.edit('end.sh', 'echo "Error: cannot log in with $DATABASE_PASSWORD"; exit 1');
  const failed = async () => (await site.status()).last?.outcome === 'failed';
  await until(failed, 'the build to fail', 30_000);
  const first = (await site.status()).last;
  expect(first?.error).toContain('cannot log in with [DATABASE_PASSWORD]');
  await site.edit(
    'end.sh',
    `echo 'throw new Error("no " + process.env.DATABASE_PASSWORD)' > "$SLOTS_OUT_DIR/server.mjs"`,
  );
  await until(async () => (await site.status()).last?.stage === 'start', 'the crash', 30_000);
  expect((await site.settled()).last?.error).toBe(
    'the candidate crashed at start: Error: no [DATABASE_PASSWORD]',
  );

  const outputs = await Promise.all(
    [['status'], ['status', '--json'], ['history'], ['history', '--json'], ['releases', '--json']]
      .concat([
        ['logs', 'build', '-n', '1000'],
        ['logs', 'watcher', '-n', '1000'],
      ])
      .map(async (command) => (await site.slots(...command)).stdout),
  );
  const slots = join(site.root, 'slots');
  const files = ['state.json', 'history.jsonl', 'failed-build.log'].map((name) =>
    join(slots, name),
  );
  const home = site.env.PM2_HOME as string;
  const logs = (await readdir(join(home, 'logs'))).filter((name) => /-(watcher|proxy)-/.test(name));
  files.push(join(home, 'pm2.log'), ...logs.map((name) => join(home, 'logs', name)));
  for (const id of await readdir(join(slots, 'releases'))) {
    files.push(
      join(slots, 'releases', id, 'build.log'),
      join(slots, 'releases', id, 'release.json'),
    );
  }
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  for (const text of [...outputs, ...texts]) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(inherited);
  }
  expect(outputs.join()).toContain('[DATABASE_PASSWORD]');
});

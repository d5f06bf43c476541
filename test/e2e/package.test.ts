import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { expect, test } from 'vitest';
import { frameworkSite, installPackages } from '../support/framework-site.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

const run = promisify(execFile);

interface Packed {
  filename: string;
  files: { path: string }[];
}

/** `dist` is there already; building it anew would take it from under other tests. */
async function pack(to: string): Promise<Packed> {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', to];
  const { stdout } = await run('npm', args, { cwd: REPOSITORY });
  const parsed = JSON.parse(stdout);
  // A list until npm 11, by name from then on.
  return (Array.isArray(parsed) ? parsed[0] : Object.values(parsed)[0]) as Packed;
}

test('the package is as publint wants it', async () => {
  const { messages } = await publint({ pkgDir: REPOSITORY, strict: true });
  expect(messages).toEqual([]);
});

test('the package has what it needs to run, and no more', async () => {
  const { files } = await pack(await tempFolder());
  const paths = files.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      'package.json',
      'README.md',
      'LICENSE',
      'bin/slots.js',
      'dist/index.d.ts',
      'dist/dashboard/index.html',
      'dist/dashboard/main.js',
      'dist/dashboard/licences.txt',
    ]),
  );
  for (const part of ['cli', 'controller', 'proxy', 'instance']) {
    expect(paths).toContain(`dist/${part}/main.js`);
  }
  expect(
    paths.filter(
      (path) => !/^(bin|dist|docs)\/|^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(path),
    ),
  ).toEqual([]);
});

const SERVER = `
const { createServer } = require('node:http');
const page = require('node:fs').readFileSync(__dirname + '/content/page.txt');
createServer((request, response) => response.end(page)).listen(process.env.PORT, process.env.HOST);
`;

test('installed into a site, it is set up by init and runs by up', async () => {
  const site = await frameworkSite({
    files: { 'server.js': SERVER, 'content/page.txt': 'first' },
    async modules(root) {
      const { filename } = await pack(root);
      const dependencies = { 'two-slots': `file:${filename}` };
      const manifest = { name: `t${root.slice(-6)}`, private: true, dependencies };
      await writeFile(join(root, 'package.json'), JSON.stringify(manifest, null, 2));
      await installPackages(root);
    },
  });
  // What a person has: no config at all.
  await rm(join(site.root, 'slots.config.json'));
  const npx = (...args: string[]) => run('npx', args, { cwd: site.root, env: site.env });

  const { stdout } = await npx('slots', 'init', '--yes');
  expect(stdout).toMatch(/found\s+Node/);
  const file = join(site.root, 'slots.config.ts');
  const config = await readFile(file, 'utf8');
  expect(config).toContain("import { defineConfig } from 'two-slots';");
  // The usual ports may be taken on this machine.
  const ports = `ports: ${JSON.stringify(site.ports)}, host: '127.0.0.1',`;
  await writeFile(file, config.replace('// ports: { proxy: 4321 },', ports));

  expect((await npx('slots', 'up')).stdout).toContain(
    site.origin.replace('127.0.0.1', 'localhost'),
  );
  expect(await site.get()).toMatchObject({ status: 200, body: 'first' });
  await site.edit('content/page.txt', 'second');
  await until(async () => (await site.get()).body === 'second', 'the edit to be live', 60_000);
  expect(
    (await run('npm', ['run', 'slots:up'], { cwd: site.root, env: site.env })).stdout,
  ).toContain('is up');
});

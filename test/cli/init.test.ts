import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { withScripts } from '../../src/cli/init/package-scripts.ts';
import type { InitOptions } from '../../src/cli/init/plan.ts';
import { type Ask, init } from '../../src/cli/init.ts';
import { loadConfig } from '../../src/config/load.ts';
import { putFile, tempSite } from '../support/temp-site.ts';

let said: string[];

beforeEach(() => {
  said = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line) => void said.push(line));
  return () => log.mockRestore();
});

const NODE_SITE = { 'package.json': '{ "name": "mine" }\n', 'server.js': '' };

async function newSite(files: Record<string, string> = NODE_SITE) {
  const { root } = await tempSite(files);
  return {
    root,
    read: (path: string) => readFile(join(root, path), 'utf8'),
    run: (options: InitOptions = {}, ask: Ask = null) => init(root, options, ask),
  };
}

test('slots init writes a config that means what was found, and says so', async () => {
  const { root, read, run } = await newSite();
  const before = loadConfig(root);
  await run();
  expect(loadConfig(root)).toEqual(before);
  expect(await read('.gitignore')).toBe('/slots/\n');
  expect(JSON.parse(await read('package.json')).scripts).toEqual({
    'slots:up': 'slots up',
    'slots:status': 'slots status --watch',
  });
  expect(said.join('\n')).toMatch(/found\s+Node[\s\S]*entry\s+server\.js[\s\S]*npx slots up/);
});

test('slots init writes one whose lines mean the same when they are uncommented', async () => {
  const { root, read, run } = await newSite({ ...NODE_SITE, 'public/x.txt': '' });
  const before = loadConfig(root);
  await run();
  const text = (await read('slots.config.ts')).replaceAll(/^ {2}\/\/ (?=\w+: )/gm, '  ');
  await putFile(root, 'again/package.json', NODE_SITE['package.json']);
  await putFile(root, 'again/slots.config.ts', text);
  const after = loadConfig(join(root, 'again'));
  for (const key of ['watch', 'copy', 'entry', 'ports', 'instances'] as const) {
    expect(after[key]).toEqual(before[key]);
  }
});

test('slots init done twice changes nothing the second time', async () => {
  const { root, read, run } = await newSite();
  await run({ dockerfile: true });
  const files = await readdir(root);
  const before = await Promise.all(files.map(read));
  await run({ dockerfile: true });
  expect(await readdir(root)).toEqual(files);
  expect(await Promise.all(files.map(read))).toEqual(before);
  expect(said.at(-2)).not.toMatch(/written|added|replaced/);
});

test('slots init imports its own types only where the package is installed', async () => {
  const { root, read, run } = await newSite();
  await mkdir(join(root, 'node_modules'));
  await symlink(join(import.meta.dirname, '../..'), join(root, 'node_modules/two-slots'));
  await run();
  const hasTypes = (await read('slots.config.ts')).startsWith(
    "import { defineConfig } from 'two-slots'",
  );
  // Its exports are the compiled files.
  expect(hasTypes).toBe(existsSync(join(import.meta.dirname, '../../dist/index.js')));
  expect(loadConfig(root).name).toBe('mine');
});

test('slots init names a site that has no package.json by its folder', async () => {
  const { root, run } = await newSite({ 'index.html': 'x' });
  await run();
  expect(loadConfig(root).name).toMatch(/^slots-test-/);
  expect(existsSync(join(root, 'package.json'))).toBe(false);
});

test('slots init takes build and entry from the command line, with whatever is in them', async () => {
  const { root, run } = await newSite({ 'package.json': '{"name":"mine"}' });
  await expect(run()).rejects.toMatchObject({ code: 'NO_FRAMEWORK' });
  expect(await readdir(root)).toEqual(['package.json']);
  const build = `it's "$A" \\ {outDir}`;
  await run({ build, entry: 'a.js' });
  expect(loadConfig(root)).toMatchObject({ build, entry: 'a.js' });
});

test('slots init leaves a config in another language alone', async () => {
  const { root, run } = await newSite({ ...NODE_SITE, 'slots.config.json': '{"keep":9}' });
  await run();
  expect(existsSync(join(root, 'slots.config.ts'))).toBe(false);
  expect(said.join('\n')).toContain('slots.config.json is there already');
});

test('slots init needs to recognise nothing where there is a config', async () => {
  const config = "export default { build: 'make', entry: 'a.js' };\n";
  const { read, run } = await newSite({ 'package.json': '{}', 'slots.config.ts': config });
  await run();
  expect(await read('slots.config.ts')).toBe(config);
  expect(await read('.gitignore')).toBe('/slots/\n');
});

test('slots init says what the site still needs', async () => {
  const { run } = await newSite({ 'package.json': '{"name":"n","dependencies":{"next":"16"}}' });
  await run();
  expect(said.join('\n')).toMatch(/to do.*standalone/);
});

const OWN = { ...NODE_SITE, 'slots.config.ts': 'export default { keep: 7 };\n' };

test('what somebody has written is not replaced when there is nobody to ask, and nothing else is written', async () => {
  const { root, read, run } = await newSite(OWN);
  await expect(run()).rejects.toMatchObject({
    code: 'WOULD_REPLACE',
    message: expect.stringContaining('slots.config.ts'),
  });
  expect(await read('slots.config.ts')).toBe(OWN['slots.config.ts']);
  expect((await readdir(root)).sort()).toEqual(Object.keys(OWN).sort());
});

test('what somebody has written is replaced with --yes', async () => {
  const { read, run } = await newSite(OWN);
  await run({ yes: true });
  expect(await read('slots.config.ts')).toContain('Found: Node');
});

test.each([true, false])(
  'what somebody has written is asked about, file by file; the answer is %s',
  async (answer) => {
    const { read, run } = await newSite({ ...OWN, Dockerfile: 'FROM scratch\n' });
    const asked: string[] = [];
    await run({ dockerfile: true }, async (question) => {
      asked.push(question);
      return answer;
    });
    expect(asked).toEqual([
      expect.stringContaining('slots.config.ts'),
      expect.stringContaining('Dockerfile'),
    ]);
    expect((await read('slots.config.ts')) === OWN['slots.config.ts']).toBe(!answer);
    expect((await read('Dockerfile')) === 'FROM scratch\n').toBe(!answer);
    expect(await read('.gitignore')).toBe('/slots/\n');
  },
);

test.each(['slots', '/slots', 'slots/', '/slots/', '/slots/*'])(
  'what somebody has written ignores it already: %s',
  async (line) => {
    const { read, run } = await newSite({ ...NODE_SITE, '.gitignore': `dist\n${line}\n!x\n` });
    await run();
    expect(await read('.gitignore')).toBe(`dist\n${line}\n!x\n`);
  },
);

test('what somebody has written keeps its line ends, and a last line without one', async () => {
  const { read, run } = await newSite({ ...NODE_SITE, '.gitignore': 'dist\r\nmyslots' });
  await run();
  expect(await read('.gitignore')).toBe('dist\r\nmyslots\r\n/slots/\r\n');
});

const ADDED = { 'slots:up': 'slots up', 'slots:status': 'slots status --watch' };

test.each([
  '{}',
  '{\n}\n',
  '{ "name": "a" }',
  '{"name":"a","scripts":{"build":"x"},"n":1}',
  '{"scripts":{}}',
  '{\n  "scripts": {},\n  "a": [1, {"scripts": {}}]\n}\n',
  '{\n\t"scripts": {\n\t\t"build": "a \\"b\\" {c}, d"\n\t},\n\t"files": [\n\t\t"x"\n\t]\n}',
  '{\r\n    "scripts": {\r\n        "build": "x"\r\n    }\r\n}\r\n',
  '{"private": true, "x": null, "deep": {"scripts": {"a": "b"}}}',
])('the scripts in package.json are added, and all else stays: %j', (before) => {
  const { text, effect } = withScripts(before);
  const old = JSON.parse(before);
  expect(JSON.parse(text)).toEqual({ ...old, scripts: { ...old.scripts, ...ADDED } });
  expect(effect).toBe('adds');
  expect(withScripts(text)).toMatchObject({ effect: 'same', text });
  // What was there is there still, in its order: only insertions.
  let from = 0;
  for (const char of before) {
    from = text.indexOf(char, from) + 1;
    expect(from).toBeGreaterThan(0);
  }
});

test('the scripts in package.json look like those around them', () => {
  const before = '{\n\t"scripts": {\n\t\t"build": "x"\n\t}\n}\n';
  expect(withScripts(before).text).toBe(
    '{\n\t"scripts": {\n\t\t"build": "x",\n\t\t"slots:up": "slots up",\n\t\t"slots:status": "slots status --watch"\n\t}\n}\n',
  );
  expect(withScripts('{\n  "name": "a"\n}\n').text).toBe(
    '{\n  "name": "a",\n  "scripts": {\n    "slots:up": "slots up",\n    "slots:status": "slots status --watch"\n  }\n}\n',
  );
});

test('the scripts in package.json of one name and another command would be replaced', () => {
  const before = '{"scripts": {"slots:up": "echo \\"}\\"", "a": "b"}}';
  const { text, effect } = withScripts(before);
  expect(effect).toBe('replaces');
  expect(JSON.parse(text).scripts).toEqual({ ...ADDED, a: 'b' });
});

test('slots init --https writes a config that orders certificates on the ports 443 and 80', async () => {
  const { root, run } = await newSite();
  await run({ https: ['example.com', 'WWW.example.com'], email: 'me@example.com', agreeTos: true });
  const { ports, proxy } = loadConfig(root);
  expect(ports.proxy).toBe(443);
  expect(proxy.tls).toMatchObject({
    acme: { email: 'me@example.com', agreeTos: true, hosts: ['example.com', 'www.example.com'] },
    redirectHttp: 80,
  });
});

test.each([
  [{ https: ['a.test'], agreeTos: true }, '--email <address>'],
  [{ https: ['a.test'], email: 'me@a.test' }, '--agree-tos'],
  [{ https: ['*.a.test'], email: 'me@a.test', agreeTos: true }, '--https *.a.test'],
])('slots init %j is refused, and says what is missing', async (options, missing) => {
  const { root, run } = await newSite();
  await expect(run(options)).rejects.toThrow(missing);
  expect(existsSync(join(root, 'slots.config.ts'))).toBe(false);
});

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type DocBlock,
  docBlocks,
  docPages,
  programsOf,
  readPage,
} from '../support/doc-commands.ts';
import { lacking, skipFor } from '../support/needs.ts';
import { type PlainSite, plainSite } from '../support/plain-site.ts';
import { until } from '../support/until.ts';

/** Run for real, against the site. A command that one of these is a part of is run as a whole. */
const RUN = new Set(['slots', 'npx slots', 'pm2']);

/** Not run: they are about the reader's machine. */
const KNOWN = new Set(['npm', 'npx vitest', 'curl', 'tar', 'du', 'grep', 'tail']);

/** They go on until Ctrl-C. */
const ENDLESS = /\s(--watch|--foreground|-f|--follow)\b/;

/** Pages that other parts of the project bring along. */
const PENDING = new Set(['docs/api.md']);

const COMMAND_TIMEOUT_MS = 60_000;

const packageFile = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const blocks = docPages().flatMap(docBlocks);
const isRun = (command: string) => programsOf(command).some((program) => RUN.has(program));
const title = ({ page, line }: DocBlock) => `${page}:${line}`;

test.each(blocks.map((block) => [title(block), block] as const))(
  'a block of commands: %s is sound',
  (_title, block) => {
    expect(block.badInfo, 'is ```sh, with "not-run: <reason>" or nothing').toBeNull();
    expect(block.commands.length).toBeGreaterThan(0);
    if (block.notRun !== null) {
      expect(block.notRun.split(' ').length, 'the reason says something').toBeGreaterThan(1);
      return;
    }
    for (const program of block.commands.flatMap(programsOf)) {
      expect(RUN.has(program) || KNOWN.has(program), `${program} is known`).toBe(true);
    }
  },
);

describe('on a real site, in the order of the pages', () => {
  let site: PlainSite;
  let bin: string;

  beforeAll(async () => {
    site = await plainSite({ cleanup: 'caller' });
    bin = await putPrograms(site);
    await site.slots('up');
    // A rollback needs a release before the one that is live.
    await site.edit('page.txt', 'second');
    await until(async () => (await site.get()).body === 'second', 'the second release', 30_000);
  });

  afterAll(() => site.dispose());

  const runnable = blocks.filter(({ notRun, commands }) => notRun === null && commands.some(isRun));
  test.for(runnable.map((block) => [title(block), block] as const))(
    '%s',
    async ([_title, block], { skip }) => {
      const programs = block.commands.filter(isRun).flatMap(programsOf);
      skipFor(skip, lacking('bash', ...programs.filter((program) => !RUN.has(program))));
      await bringUp(site);
      for (const command of block.commands.filter(isRun)) {
        const { code, output } = await run(site, bin, command);
        expect(code, `${command}\n${output}`).toBe(0);
      }
    },
  );
});

test.each(docPages())('what pages lead to: %s', (page) => {
  for (const [, target = ''] of readPage(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : join(dirname(page), path);
    if (PENDING.has(file)) continue;
    expect(existsSync(packageFile(file)), `${page} → ${target}`).toBe(true);
    if (anchor) expect(anchorsOf(file), `${page} → ${target}`).toContain(anchor);
  }
});

/** As GitHub makes them. */
function anchorsOf(file: string): string[] {
  return [...readPage(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

/** `slots`, `npx` and `pm2` as an installed package has them. */
async function putPrograms(of: PlainSite): Promise<string> {
  const folder = join(of.root, 'bin');
  await mkdir(folder);
  const put = (name: string, script: string) =>
    writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  await put('slots', `exec node '${packageFile('bin/slots.js')}' "$@"`);
  await put('npx', 'exec "$@"');
  await put('pm2', `exec node '${packageFile('node_modules/pm2/bin/pm2')}' "$@"`);
  return folder;
}

/** Whatever the block before has stopped or paused runs again. */
async function bringUp(site: PlainSite): Promise<void> {
  const before = await site.status().catch(() => null);
  if (before === null) expect(await site.slots('up')).toMatchObject({ exitCode: 0 });
  if (before?.watcher.paused) await site.slots('resume');
  await site.settled();
}

/** The docs call the site `blog`, and its ports and releases as they are by default. */
async function run(site: PlainSite, bin: string, command: string) {
  const { stdout } = await site.slots('_releases');
  const text = command
    .replaceAll('blog-', `${site.name}-`)
    .replaceAll('localhost:4321', `localhost:${site.ports.proxy}`)
    .replaceAll('r20260131T120000-1a2b3c', stdout.trim().split('\n').at(-1) as string);
  const env = { ...site.env, PATH: `${bin}:${site.env.PATH}` };
  const child = spawn('bash', ['-c', `set -o pipefail; ${text}`], { cwd: site.root, env });
  return endOf(child, ENDLESS.test(command));
}

/** An endless one has done its job when it has said something and ends at Ctrl-C. */
function endOf(child: ChildProcess, endless: boolean): Promise<{ code: number; output: string }> {
  let output = '';
  let interrupted = false;
  const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_TIMEOUT_MS);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (!endless || interrupted) return;
      interrupted = true;
      child.kill('SIGINT');
    });
  }
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const isDone = interrupted && (signal === 'SIGINT' || code === 130);
      resolve({ code: isDone ? 0 : (code ?? -1), output });
    });
  });
}

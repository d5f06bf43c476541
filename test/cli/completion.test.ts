import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { lacking, skipFor } from '../support/needs.ts';
import { putRelease, releaseIdOf, tempSite } from '../support/temp-site.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

const slots = (...args: string[]) =>
  run(process.execPath, [MAIN, ...args]).then(({ stdout }) => stdout);

/** What bash offers for the last of these words. */
async function bashOffers(root: string, ...words: string[]): Promise<string[]> {
  const bin = join(root, 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, 'slots'), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`, {
    mode: 0o755,
  });
  const script = `
    source <(slots completion bash)
    COMP_WORDS=(slots "$@")
    COMP_CWORD=$#
    _slots
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  const { stdout } = await run('bash', ['-c', script, 'bash', ...words], { cwd: root, env });
  return stdout.split('\n').filter((word) => word !== '');
}

describe('in bash', () => {
  beforeEach(({ skip }) => skipFor(skip, lacking('bash')));

  test('commands are completed, and what may stand before them', async () => {
    const { root } = await tempSite();
    expect(await bashOffers(root, 'st')).toEqual(['status']);
    expect(await bashOffers(root, 're')).toEqual(['restart', 'releases', 'resume']);
    expect(await bashOffers(root, '-C', root, 'do')).toEqual(['down', 'doctor']);
    expect(await bashOffers(root, '--ro')).toEqual(['--root']);
  });

  test('options and log names are completed', async () => {
    const { root } = await tempSite();
    expect(await bashOffers(root, 'status', '--')).toEqual(['--json', '--watch', '--help']);
    // Not the one that only a controller gives.
    expect(await bashOffers(root, 'up', '--')).toEqual(['--foreground', '--help']);
    expect(await bashOffers(root, 'up')).toEqual(['up', 'upgrade']);
    expect(await bashOffers(root, 'logs', 'b')).toEqual(['build', 'blue']);
    expect(await bashOffers(root, 'completion', 'f')).toEqual(['fish']);
  });

  test('a rollback offers the releases that are kept, even with a broken config', async () => {
    const paths = await tempSite({ 'slots.config.json': '{' });
    await putRelease(paths, releaseIdOf(1));
    await putRelease(paths, releaseIdOf(2));
    const ids = [releaseIdOf(2), releaseIdOf(1)];
    expect(await bashOffers(paths.root, 'rollback', 'r')).toEqual(ids);
    expect(
      await bashOffers((await tempSite()).root, '-C', paths.root, 'rollback', ids[0] as string),
    ).toEqual([ids[0]]);
  });
});

describe.each(['zsh', 'fish'])('for %s', (shell) => {
  test('the script has every command, option and log name', async () => {
    const script = await slots('completion', shell);
    for (const word of ['status', 'rollback', 'doctor', 'completion', 'foreground', 'watch']) {
      expect(script).toContain(word);
    }
    expect(script).toContain('build proxy watcher blue green');
    expect(script).toContain('_releases 2>/dev/null');
    expect(script).not.toContain('undefined');
  });
});

test('the help lists the commands in groups, the ones for programs not among them', async () => {
  const help = await slots('--help');
  const titles = help.split('\n').filter((line) => /^\S.*:$/.test(line));
  expect(titles).toEqual([
    'Options:',
    'Run the site:',
    'See what is going on:',
    'Publish:',
    'Set up:',
  ]);
  expect(help).not.toContain('_releases');
});

// A process for each command, all at once.
test('the help of each command has an example of that command', async () => {
  const names = [...(await slots('--help')).matchAll(/^ {2}([a-z]+)\b/gm)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(12);
  const commands = names.filter((name) => name !== undefined && name !== 'help') as string[];
  const helps = await Promise.all(commands.map((name) => slots(name, '--help')));
  for (const [index, name] of commands.entries()) {
    const help = helps[index];
    expect(help).toMatch(
      new RegExp(`\\nExamples?:\\n(.*\\n)*? {2}\\$ slots (-C \\S+ )?${name}\\b`),
    );
  }
}, 120_000);

test('a shell that is not known, and a log that does not exist, are wrong usage', async () => {
  await expect(slots('completion', 'csh')).rejects.toMatchObject({ code: 2 });
  await expect(slots('logs', 'kitchen')).rejects.toMatchObject({ code: 2 });
});

import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { SitePaths } from '../../src/slots/paths.ts';
import { EMPTY_STATE } from '../../src/slots/state.ts';
import { tempSite } from '../support/temp-site.ts';

const NOBODY = 65_534;
const SOURCE = new URL('../../src/', import.meta.url);
const isRoot = process.getuid?.() === 0;

/** Runs this with the site's `paths` as a user who is not root and owns nothing. */
async function asNobody(paths: SitePaths, code: string): Promise<string> {
  await chmod(paths.root, 0o755);
  const script = `
    import { recoverHistory, recoverState } from '${SOURCE}controller/promotion/recovery.ts';
    import { writeState } from '${SOURCE}slots/state.ts';
    import { sitePaths } from '${SOURCE}slots/paths.ts';
    const paths = sitePaths(${JSON.stringify(paths.root)});
    const log = { error: (_, message) => console.log(message) };
    try { ${code} } catch (error) { console.log(error.code + ': ' + error.message); }`;
  const args = ['--input-type=module', '--eval', script];
  const user = { uid: NOBODY, gid: NOBODY, env: { PATH: process.env.PATH ?? '' } };
  return (await promisify(execFile)(process.execPath, args, user)).stdout.trim();
}

test.runIf(isRoot)(
  'files of another user are set aside, whole, and others take their place',
  async () => {
    const paths = await tempSite({ 'slots/.gitkeep': '' });
    const text = `${JSON.stringify(EMPTY_STATE)}\n`;
    for (const file of [paths.state, paths.history]) await writeFile(file, text, { mode: 0o600 });
    await chown(paths.slots, NOBODY, NOBODY);
    const said = await asNobody(
      paths,
      'await recoverHistory(paths, log); await writeState(paths, await recoverState(paths, log));',
    );
    expect(said).toMatch(/history\.jsonl .*it is now .*history\.jsonl\.bad-/);
    expect(said).toMatch(/cannot read .*state\.json: EACCES.*it is now .*state\.json\.bad-/);
    const aside = (await readdir(paths.slots)).filter((name) => name.includes('.bad-'));
    expect(aside).toHaveLength(2);
    for (const name of aside) expect(await readFile(`${paths.slots}/${name}`, 'utf8')).toBe(text);
    expect(JSON.parse(await readFile(paths.state, 'utf8'))).toEqual(EMPTY_STATE);
  },
);

test.runIf(isRoot)(
  'a folder of another user is told in one line, and nothing in it is touched',
  async () => {
    const paths = await tempSite();
    await mkdir(paths.slots);
    await writeFile(paths.state, 'garbage');
    const said = await asNobody(paths, 'await recoverState(paths, log);');
    expect(said).toMatch(/^STATE_UNWRITABLE: cannot set .*state\.json aside: EACCES.*$/);
    expect(await asNobody(paths, 'await writeState(paths, {});')).toMatch(
      /^STATE_UNWRITABLE: cannot write state\.json: EACCES.*$/,
    );
    expect(await readFile(paths.state, 'utf8')).toBe('garbage');
  },
);

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { putFile } from './temp-site.ts';

const IDENTITY = ['-c', 'user.name=writer', '-c', 'user.email=writer@example.com'];

/** Runs git in a folder, without anything of this machine's configuration. */
export async function git(folder: string, ...args: string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
  };
  const all = [...IDENTITY, '-c', 'init.defaultBranch=main', ...args];
  const { stdout } = await promisify(execFile)('git', all, { cwd: folder, env });
  return stdout.trim();
}

export interface GitRemote {
  /** A bare repository. */
  remote: string;
  /** A clone of the one who writes. */
  writer: string;
  /** Writes a file, commits it and pushes; the commit. */
  push(file: string, content: string): Promise<string>;
}

/** Makes a folder a clone with a bare remote, and another clone for the one who writes. All are in `base`. */
export async function withRemote(site: string, base: string): Promise<GitRemote> {
  const remote = join(base, 'remote.git');
  const writer = join(base, 'writer');
  await git(base, 'init', '--quiet', '--bare', remote);
  await git(site, 'init', '--quiet');
  await putFile(site, '.gitignore', '/slots/\n/node_modules\n/slots.config.json\n');
  await git(site, 'add', '--all');
  await git(site, 'commit', '--quiet', '-m', 'Begin');
  await git(site, 'remote', 'add', 'origin', remote);
  await git(site, 'push', '--quiet', '--set-upstream', 'origin', 'main');
  await git(base, 'clone', '--quiet', remote, writer);
  return {
    remote,
    writer,
    async push(file, content) {
      await putFile(writer, file, content);
      await git(writer, 'add', '--all');
      await git(writer, 'commit', '--quiet', '-m', `Change ${file}`);
      await git(writer, 'push', '--quiet', 'origin', 'HEAD:main');
      return git(writer, 'rev-parse', 'HEAD');
    },
  };
}

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const LAST_LINES = 40;

/** What a site of a test keeps for the case that the test fails. */
interface Kept {
  commands: readonly { args: string[]; exitCode: number | null; stderr: string }[];
  env: NodeJS.ProcessEnv;
}

/** What a failed test's site went through: the commands that failed, and the end of what each app logged. */
export async function siteStory({ commands, env }: Kept): Promise<string> {
  const failed = commands
    .filter(({ exitCode }) => exitCode !== 0)
    .map(
      ({ args, exitCode, stderr }) => `slots ${args.join(' ')} exited with ${exitCode}:\n${stderr}`,
    );
  const logs = join(env.PM2_HOME ?? '', 'logs');
  const names = (await readdir(logs).catch(() => [])).sort();
  const ends = names.map(async (name) => {
    const text = await readFile(join(logs, name), 'utf8');
    return text === '' ? '' : `${name}:\n${text.split('\n').slice(-LAST_LINES).join('\n')}`;
  });
  return [...failed, ...(await Promise.all(ends))].filter(Boolean).join('\n');
}

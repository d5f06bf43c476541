import { readFile } from 'node:fs/promises';
import { appName } from '../../config/ecosystem.ts';
import type { Config } from '../../config/schema.ts';
import { SlotsError, toErrorCode } from '../../errors.ts';
import type { Pm2 } from '../../pm2.ts';

/**
 * Why the workers of the proxy cannot start, for instance since a certificate is missing. PM2 starts them again and again, so
 * nothing but their log tells.
 *
 * @param since what is in the log from before is about another config, in milliseconds since 1970
 */
export async function workerFailure(
  pm2: Pick<Pm2, 'instances'>,
  config: Config,
  since: number,
): Promise<SlotsError | null> {
  const [worker] = await pm2.instances(appName(config, 'proxy'));
  const text = worker ? await readFile(worker.outLog, 'utf8').catch(() => '') : '';
  const failure = lastFailure(text, since);
  if (failure === null) return null;
  return new SlotsError(toErrorCode(failure.code), `the proxy cannot start: ${failure.msg}`, {
    hint: 'mend it, then run `slots down` and `slots up`',
  });
}

/** Of the workers' log; the site's own prints are not in it, but Node's warnings are. */
export function lastFailure(log: string, since: number): { code: string; msg: string } | null {
  const lines = log.split('\n').filter((line) => line.includes('"worker.start-failed"'));
  const last = parse(lines.at(-1) ?? '');
  return last !== null && last.time >= since ? last : null;
}

function parse(line: string): { time: number; code: string; msg: string } | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** Row 9: more files than the kernel lets anybody watch, in a user namespace whose limit is one. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { plainSite } from '../support/plain-site.ts';
import { until } from '../support/until.ts';
import { longTest } from './long-test.ts';
import { recordFault } from './table.ts';

const run = promisify(execFile);
const BIN = fileURLToPath(new URL('../../bin/slots.js', import.meta.url));
const LIMIT = 'echo 1 > /proc/sys/user/max_inotify_watches';

longTest(
  'with too few inotify watches edits are live some seconds later, and status says why',
  async ({ skip }) => {
    const unshare = ['--user', '--map-root-user', 'sh', '-c'];
    const possible = await run('unshare', [...unshare, LIMIT]).then(
      () => null,
      (error: Error) => error.message,
    );
    if (possible !== null) skip(`no user namespace with a limit of its own here: ${possible}`);
    const site = await plainSite();
    const up = `${LIMIT}; exec "$0" "$@"`;
    await run('unshare', [...unshare, up, process.execPath, BIN, '-C', site.root, 'up'], {
      env: site.env,
    });
    const problem = (await site.status()).watcher.problem;
    expect(problem).toMatch(/^too many files to watch \(ENOSPC\): edits are seen only every 10 s/);
    expect((await site.slots('status')).stdout).toContain(problem);

    const started = performance.now();
    await site.edit('page.txt', 'seen by a look');
    await until(async () => (await site.get()).body === 'seen by a look', 'the edit', 60_000);
    const recoveryMs = [performance.now() - started];
    const fault = 'inotify is exhausted (ENOSPC)';
    recordFault({ row: 9, fault, injected: 1, requests: 0, failed: 0, editsLost: 0, recoveryMs });
  },
);

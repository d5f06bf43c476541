import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkDaemon } from '../../../src/cli/doctor/daemon.ts';
import { sitePaths } from '../../../src/slots/paths.ts';
import { takeRunSocket } from '../../../src/slots/run-socket.ts';
import { doctorFacts } from '../../support/doctor-facts.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** More than Linux gives (`/proc/sys/kernel/pid_max`). */
const NOBODY = 2 ** 30;

test('no PM2 daemon is no fault of a site of which nothing runs', async () => {
  const paths = sitePaths(await tempFolder());
  const checks = await checkDaemon(doctorFacts(paths));
  expect(checks).toMatchObject([
    { level: 'ok', message: expect.stringContaining('no daemon runs') },
  ]);
});

test('a PM2 daemon that has died is told by the processes that serve on', async () => {
  const paths = sitePaths(await tempFolder());
  const path = join(paths.run, 'proxy-0.sock');
  const socket = await takeRunSocket(path, (connection) => connection.destroy());
  onTestFinished(() => socket.leave());
  const of = async (daemon: number) => {
    await writeFile(`${path}.pid`, `${process.pid} ${daemon}\n`);
    return checkDaemon(doctorFacts(paths));
  };
  expect(await of(NOBODY)).toMatchObject([
    { level: 'warning', message: 'the daemon has died; 1 process serves on without it' },
  ]);
  expect(await of(process.pid)).toMatchObject([{ level: 'ok' }]);
});

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { certificateFiles } from '../../support/certificate-files.ts';
import { startOrigin } from '../../support/plane.ts';
import { http2Get, http2Session } from '../../support/tls.ts';

/** In a process of its own: one that writes for ever answers nobody, and would hang the test too. */
async function startWorker(site: number): Promise<number> {
  const { certificate, remove } = await certificateFiles();
  const path = fileURLToPath(new URL('../../fuzz/worker.ts', import.meta.url));
  const env = {
    ...process.env,
    SITE: String(site),
    CERT: certificate.cert,
    KEY: certificate.key,
  };
  const worker = fork(path, { env, execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  onTestFinished(async () => {
    worker.kill('SIGKILL');
    await remove();
  });
  const [{ tls }] = (await once(worker, 'message')) as [{ tls: number }];
  return tls;
}

test('a visitor who is cut off without having read the answer, and opens the window then, gets no more of it', async () => {
  const site = await startOrigin((_request, response) => response.end('early'));
  const port = await startWorker(site.port);
  const visitor = connect(`https://127.0.0.1:${port}`, {
    rejectUnauthorized: false,
    settings: { initialWindowSize: 0 },
  });
  onTestFinished(() => visitor.destroy());
  visitor.on('error', () => {});
  const stream = visitor.request({ ':method': 'POST', ':path': '/' });
  stream.on('error', () => {});
  const received: Buffer[] = [];
  stream.on('data', (bytes: Buffer) => received.push(bytes));
  stream.write('the beginning of a body whose end never comes');
  // After `sendTimeoutMs`, which is 4 s there.
  await once(stream, 'close');
  expect(stream.rstCode).toBe(8);
  visitor.settings({ initialWindowSize: 1024 * 1024 });
  await once(visitor, 'localSettings');

  const session = await http2Session(port);
  const answer = await http2Get(session, '/');
  expect([answer.status, String(answer.body)]).toEqual([200, 'early']);
  expect(received).toEqual([]);
});

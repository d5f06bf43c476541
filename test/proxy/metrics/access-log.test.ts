import { expect, test } from 'vitest';
import { startPlane, startRawOrigin } from '../../support/plane.ts';
import { ask, get, head, rawClient } from '../../support/raw-http.ts';
import { http2Get, http2Session, makeCertificate } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

/** A plane whose site answers each request with the status that is its path. */
async function startLogged(options: { tls?: boolean } = {}) {
  const site = await startRawOrigin((wire) => {
    wire.socket.on('data', (bytes) => {
      const status = /\/(\d+)/.exec(String(bytes))?.[1];
      if (status) wire.send(`HTTP/1.1 ${status} Some\r\nContent-Length: 2\r\n\r\nok`);
    });
  });
  const lines: Record<string, unknown>[] = [];
  const writeLog = (text: string) => {
    for (const line of text.trim().split('\n')) lines.push(JSON.parse(line));
  };
  const proxy = { accessLog: true, ...(options.tls && { tls: await makeCertificate() }) };
  const { port } = await startPlane({ proxy, blue: site.port, writeLog });
  const logged = async (count: number) => {
    await until(() => lines.length >= count, `${count} lines`);
    return lines;
  };
  return { port, logged };
}

test('each request has one line, whoever has read it: its method, path, status and peer', async () => {
  const { port, logged } = await startLogged();
  await ask(port, get('/404?a="b"\\c'));
  await ask(port, head('POST /201', 'Host: a', 'Content-Length: 0'));
  const lines = await logged(2);
  const rest = { slot: 'blue', peer: '127.0.0.1', event: 'request', level: 30 };
  expect(lines).toEqual([
    expect.objectContaining({ method: 'GET', path: '/404?a="b"\\c', status: 404, ...rest }),
    expect.objectContaining({ method: 'POST', path: '/201', status: 201, ...rest }),
  ]);
  for (const line of lines) {
    expect(line).not.toHaveProperty('aborted');
    expect(line).toMatchObject({
      id: expect.stringMatching(/^[\w-]{8,}$/),
      ms: expect.any(Number),
    });
  }
  expect(lines[0]?.id).not.toBe(lines[1]?.id);
});

test('over HTTP/2 the line has the status that the visitor got, also one that Node does not know', async () => {
  const { port, logged } = await startLogged({ tls: true });
  const session = await http2Session(port);
  for (const status of [200, 404, 799]) {
    expect((await http2Get(session, `/${status}`)).status).toBe(status);
  }
  expect((await logged(3)).map((line) => line.status)).toEqual([200, 404, 799]);
});

test('the line of a visitor who has left before the answer says so', async () => {
  const { port, logged } = await startLogged();
  const visitor = await rawClient(port);
  visitor.send(get('/nothing'));
  await new Promise((resolve) => setImmediate(resolve));
  visitor.socket.destroy();
  expect(await logged(1)).toMatchObject([{ path: '/nothing', aborted: true }]);
});

import { expect, test } from 'vitest';
import { startFixed, startOrigin, startPlane, startRawOrigin } from '../../support/plane.ts';
import { values } from '../../support/raw-answers.ts';
import { ask, get, head, type RawClient, rawClient } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';
import {
  openSocket,
  rawSocket,
  startRawWsSite,
  startWsSite,
  upgradeHead,
} from '../../support/ws-site.ts';

const WS = ['Connection: Upgrade', 'Upgrade: websocket'];

async function refused(port: number, bytes = upgradeHead()): Promise<RawClient> {
  const client = await rawClient(port);
  client.send(bytes);
  return client;
}

test('an upgrade that the site refuses reaches the visitor with status, fields and body, and the connection ends', async () => {
  const site = await startFixed(
    'HTTP/1.1 426 Upgrade Required\r\nX-Why: old\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n' +
      'Content-Length: 8\r\n\r\nupgrade!',
  );
  const { port, plane } = await startPlane({ blue: site.port });
  const client = await refused(port);
  const answer = await client.answer();
  expect(answer).toMatchObject({ status: 426, reason: 'Upgrade Required', body: 'upgrade!' });
  expect(values(answer.fields, 'x-why')).toEqual(['old']);
  expect(values(answer.fields, 'set-cookie')).toEqual(['a=1', 'b=2']);
  expect(values(answer.fields, 'x-slots-release')).toEqual(['release-blue']);
  expect(values(answer.fields, 'connection')).toEqual(['close']);
  expect(await client.untilGone()).toBe('ended');
  client.socket.destroy();
  await until(() => plane.upgrades.count() === 0, 'nothing left');
  expect(plane.inflight.counts.blue).toBe(0);
});

test('an upgrade that the site refuses reaches the visitor in chunks, large and whole', async () => {
  const body = 'x'.repeat(1_000_000);
  const site = await startOrigin(() => {});
  site.server.on('upgrade', (_request: unknown, socket: NodeJS.WritableStream) => {
    socket.write('HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let at = 0; at < body.length; at += 100_000) {
      socket.write(`186a0\r\n${body.slice(at, at + 100_000)}\r\n`);
    }
    socket.end('0\r\n\r\n');
  });
  const { port } = await startPlane({ blue: site.port });
  const answer = await (await refused(port)).answer();
  expect(answer).toMatchObject({ status: 403, framing: 'chunked', complete: true });
  expect(answer.body === body).toBe(true);
});

test.each([
  ['with a length', 'Content-Length: 100\r\n\r\nhalf'],
  ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
])(
  'an upgrade that the site refuses and dies within its body %s ends without pretending success',
  async (_name, rest) => {
    const site = await startFixed(`HTTP/1.1 403 Forbidden\r\n${rest}`, (wire) =>
      wire.socket.destroy(),
    );
    const { port, plane } = await startPlane({ blue: site.port });
    const client = await refused(port);
    await client.untilGone();
    expect(client.text()).toMatch(/^HTTP\/1\.1 403 /);
    expect((await client.answer()).complete).toBe(false);
    await until(() => plane.upgrades.count() === 0, 'nothing left');
  },
);

test('an upgrade that the site refuses is read at the pace of the visitor', async () => {
  const total = 64 * 1024 * 1024;
  let sent = 0;
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n');
    wire.send(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${total}\r\n\r\n`);
    const block = Buffer.alloc(65_536);
    const more = () => {
      while (sent < total && !wire.socket.destroyed) {
        sent += block.length;
        if (!wire.socket.write(block)) return void wire.socket.once('drain', more);
      }
    };
    more();
  });
  const { port } = await startPlane({ blue: site.port });
  const client = await refused(port);
  await client.until('\r\n\r\n');
  client.socket.pause();
  let before = -1;
  await until(() => {
    const isStill = sent === before;
    before = sent;
    return isStill;
  }, 'the site to stand still');
  expect(sent).toBeLessThan(total / 2);
  client.socket.resume();
  await until(() => client.socket.bytesRead > total, 'all of it');
});

test.each([
  ['a POST', head('POST /', 'Host: a', ...WS, 'Content-Length: 0')],
  ['two hosts', head('GET /', 'Host: a', 'Host: b', ...WS)],
  ['a target that cannot be parsed', head('GET http://a:99999/', 'Host: a', ...WS)],
  ['a bracket for a host', head('GET http://[', 'Host: a', ...WS)],
  ['a path without a slash', head('GET no-slash', 'Host: a', ...WS)],
  ['a star', head('GET *', 'Host: a', ...WS)],
  ['too many fields', upgradeHead('/', ...Array.from({ length: 200 }, (_, i) => `X-${i}: 1`))],
])(
  'an upgrade that is none of ours: %s is answered, the site hears nothing, and the worker lives on',
  async (name, bytes) => {
    const site = await startOrigin((_request, response) => response.end('alive'));
    const { port, plane } = await startPlane({ blue: site.port });
    const client = await refused(port, bytes);
    expect((await client.answer()).status).toBe(name === 'too many fields' ? 431 : 400);
    expect(await client.untilGone()).toBe('ended');
    expect(site.received()).toBe('');
    expect((await ask(port, get())).body).toBe('alive');
    // The visitor keeps its side open; that must not keep ours.
    await until(() => plane.upgrades.count() === 0, 'nothing left');
    expect(plane.inflight.counts.blue).toBe(0);
  },
);

test.each(['//[', '//a:99999/', '/\\\\[', '///', '/%00'])(
  'an upgrade that is none of ours: a hostile path %s is answered, and the worker lives on',
  async (path) => {
    const site = await startWsSite();
    const { port } = await startPlane({ blue: site.port });
    const client = await refused(port, upgradeHead(path));
    await client.until('\r\n\r\n');
    expect(client.text()).toMatch(/^HTTP\/1\.1 (101|400) /);
    expect((await ask(port, get())).body).toBe('page');
  },
);

test('a site that is not there refuses: the warm standby answers, once, and it is counted', async () => {
  const green = await startWsSite();
  const { port, plane } = await startPlane({ green: green.port });
  const socket = await rawSocket(port);
  expect(socket.text()).toContain('x-slots-release: release-green');
  expect(plane.counters.failovers).toBe(1);
  expect(plane.inflight.counts).toEqual({ blue: 0, green: 1 });
});

test('a site that is not there refuses: a cold standby is left alone', async () => {
  const green = await startWsSite();
  const { port } = await startPlane({ green: green.port, warm: { green: false } });
  expect((await (await refused(port)).answer()).status).toBe(503);
  expect(green.requests).toHaveLength(0);
});

test('a site that is not there refuses on both slots: 503, in the way that the visitor asks for', async () => {
  const { port, plane } = await startPlane();
  const answer = await (await refused(port, upgradeHead('/', 'Accept: application/json'))).answer();
  expect(answer.status).toBe(503);
  expect(values(answer.fields, 'retry-after')).toHaveLength(1);
  expect(JSON.parse(answer.body).error.status).toBe(503);
  expect(plane.counters.failovers).toBe(1);
  await until(() => plane.upgrades.count() === 0, 'nothing left');
  expect(plane.inflight.counts).toEqual({ blue: 0, green: 0 });
});

test('a site that is not there has no release yet: 503', async () => {
  const { port } = await startPlane({ active: null });
  const client = await refused(port);
  expect((await client.answer()).status).toBe(503);
  expect(await client.untilGone()).toBe('ended');
});

test('a site that is not there never answers: 504, and its request is ended', async () => {
  const site = await startRawOrigin(() => {});
  const { port, plane } = await startPlane({
    blue: site.port,
    proxy: { upstreamTimeoutMs: 150 },
  });
  expect((await (await refused(port)).answer()).status).toBe(504);
  expect(await site.wires[0]?.untilGone()).not.toBe('open');
  await until(() => plane.upgrades.count() === 0, 'nothing left');
});

test('a site that is not there closes without an answer: 502', async () => {
  const site = await startFixed('', (wire) => wire.socket.destroy());
  const { port } = await startPlane({ blue: site.port });
  expect((await (await refused(port)).answer()).status).toBe(502);
});

test('a site that is not there answers something that is not HTTP: 502', async () => {
  const site = await startFixed('SSH-2.0-OpenSSH_9.9\r\n\r\n');
  const { port } = await startPlane({ blue: site.port });
  expect((await (await refused(port)).answer()).status).toBe(502);
});

test.each(['end', 'resetAndDestroy', 'destroy'] as const)(
  'a visitor who leaves before the 101: by %s: the request is ended',
  async (how) => {
    const site = await startRawOrigin(() => {});
    const { port, plane } = await startPlane({ blue: site.port });
    const client = await refused(port);
    await until(() => site.received().endsWith('\r\n\r\n'), 'the request at the site');
    expect(plane.inflight.counts.blue).toBe(1);
    client.socket[how]();
    expect(await site.wires[0]?.untilGone()).not.toBe('open');
    await until(() => plane.upgrades.count() === 0, 'nothing left');
    expect(plane.inflight.counts.blue).toBe(0);
  },
);

test('a visitor who leaves before the 101 does not disturb the one after it', async () => {
  const site = await startRawWsSite();
  const { port } = await startPlane({ blue: site.port });
  for (let i = 0; i < 20; i++) (await refused(port)).socket.destroy();
  const socket = await openSocket(port);
  expect(socket.readyState).toBe(1);
  socket.terminate();
});

test('upgrades that the site does not answer take places like any request, and no more', async () => {
  const site = await startRawOrigin(() => {});
  const limits = { inflightPerSlot: 2, queuedPerSlot: 1, queueTimeoutMs: 60_000 };
  const { port, plane } = await startPlane({ blue: site.port, proxy: { limits } });
  const waiting = await Promise.all([refused(port), refused(port), refused(port)]);
  await until(() => plane.upgrades.count() === 3, 'three upgrades');
  expect((await (await refused(port)).answer()).status).toBe(503);
  await until(() => site.wires.length === 2, 'two at the site');
  expect(plane.places().blue).toBe(2);
  for (const client of waiting) client.socket.destroy();
  await until(() => plane.upgrades.count() === 0, 'nothing left');
  expect(plane.places().blue).toBe(0);
  expect(plane.audit()).toEqual([]);
});

test('a tunnel holds no place', async () => {
  const site = await startWsSite();
  const limits = { inflightPerSlot: 1, queuedPerSlot: 0 };
  const { port, plane } = await startPlane({ blue: site.port, proxy: { limits } });
  const sockets = [await openSocket(port), await openSocket(port)];
  expect(plane.places().blue).toBe(0);
  expect(plane.inflight.counts.blue).toBe(2);
  expect(plane.audit()).toEqual([]);
  for (const socket of sockets) socket.terminate();
});

test('fields of an upgrade with the names of what objects have reach the site as they are', async () => {
  const site = await startRawOrigin(() => {});
  const { port } = await startPlane({ blue: site.port });
  await refused(port, upgradeHead('/', 'constructor: a', '__proto__: b', 'toString: c'));
  const text = await until(() => site.received().endsWith('\r\n\r\n') && site.received(), 'it');
  for (const line of ['constructor: a', '__proto__: b', 'toString: c']) {
    expect(text).toContain(`\r\n${line}\r\n`);
  }
});

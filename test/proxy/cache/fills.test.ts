import { expect, test } from 'vitest';
import { freePorts } from '../../support/free-ports.ts';
import { startOrigin, startPlane, startRawOrigin } from '../../support/plane.ts';
import { ask, chunk, get, head, rawClient } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

const KEPT = 'Cache-Control: s-maxage=60';

test('an answer that the other slot has given, for its own was dead, is not kept for the release that was asked', async () => {
  const [bluePort = 0] = await freePorts(1);
  const green = await startOrigin((_request, response) => {
    response.setHeader('Cache-Control', 's-maxage=60').end('of green');
  });
  const { port } = await startPlane({ blue: bluePort, green: green.port, cache: {} });
  expect((await ask(port, get('/page'))).body).toBe('of green');
  await startOrigin((_request, response) => void response.end('of blue'), {}, bluePort);
  expect((await ask(port, get('/page'))).body).toBe('of blue');
});

test('an answer that was on its way when its slot got another release is not kept for the release that was asked', async () => {
  const site = await startRawOrigin(() => {});
  const { port, assign, plane } = await startPlane({ blue: site.port, cache: {} });
  const client = await rawClient(port);
  client.send(get('/page'));
  await until(() => site.received().endsWith('\r\n\r\n'), 'the request at the slot');
  assign({ release: { blue: 'release-next' } });
  site.wires[0]?.send(head('HTTP/1.1 200 OK', KEPT, 'Content-Length: 3').concat('new'));
  expect((await client.answer()).body).toBe('new');
  expect(plane.cache?.counts.entries).toBe(0);
});

test.each([
  ['a length', 'Content-Length: 10'],
  ['chunks', 'Transfer-Encoding: chunked'],
])('an answer with %s that is cut off is not kept', async (_name, framing) => {
  let asked = 0;
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n').catch(() => {});
    asked++;
    const isFirst = asked === 1;
    const fields = isFirst ? [KEPT, framing] : [KEPT, 'Content-Length: 3'];
    const half = framing.startsWith('C') ? 'half' : chunk('half');
    wire.send(head('HTTP/1.1 200 OK', ...fields) + (isFirst ? half : 'all'));
    if (isFirst) wire.socket.end();
  });
  const { port, plane } = await startPlane({ blue: site.port, cache: {} });
  expect(await ask(port, get('/page'))).toMatchObject({ body: 'half', complete: false });
  await until(() => plane.inflight.counts.blue === 0, 'its end');
  expect(plane.cache?.counts.entries).toBe(0);
  expect(await ask(port, get('/page'))).toMatchObject({ body: 'all', complete: true });
});

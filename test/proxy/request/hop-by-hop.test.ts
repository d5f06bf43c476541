import { expect, test } from 'vitest';
import { startEcho, startFixed, startOrigin, startPlane } from '../../support/plane.ts';
import { requestFields, values } from '../../support/raw-answers.ts';
import { ask, get, head, rawClient } from '../../support/raw-http.ts';

test('what the site gets is free of the fields that concern the visitor’s connection only', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const fields = [
    'Connection: close, X-Named , x-OTHER',
    'Connection: Keep-Alive',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'Proxy-Authorization: Basic dTpw',
    'Proxy-Authenticate: Basic',
    'TE: trailers',
    'Upgrade: h2c',
    'X-Named: dropped',
    'X-Other: dropped',
    'X-Kept: kept',
  ];
  expect((await ask(port, get('/', ...fields))).status).toBe(200);
  const got = requestFields(site.received());
  const names = got.map(([name]) => name.toLowerCase());
  expect(values(got, 'connection')).toEqual(['keep-alive']);
  expect(values(got, 'x-kept')).toEqual(['kept']);
  for (const name of ['keep-alive', 'te', 'upgrade', 'x-named', 'x-other']) {
    expect(names).not.toContain(name);
  }
  expect(names.filter((name) => name.startsWith('proxy-'))).toEqual([]);
});

test('what the site gets keeps its forwarding fields even when the visitor names them in Connection', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const named = 'Connection: X-Forwarded-For, X-Forwarded-Host, X-Request-Id, Host';
  await ask(port, get('/', named));
  const got = requestFields(site.received());
  expect(values(got, 'x-forwarded-for')).toEqual(['127.0.0.1']);
  expect(values(got, 'host')).toEqual(['site.test']);
  expect(values(got, 'x-request-id')).toHaveLength(1);
});

test('what the site gets keeps the body’s length even when the visitor names it in Connection', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const request = head('POST /', 'Host: a', 'Connection: content-length', 'Content-Length: 5');
  const answer = await ask(port, `${request}hello`);
  expect(JSON.parse(answer.body).body).toBe('hello');
  expect(values(requestFields(site.received()), 'content-length')).toEqual(['5']);
});

test('what the site gets has its fields in order, repeated ones apart, names in the visitor’s case', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const fields = ['x-LOWER-Upper: 1', 'Cookie: a=1', 'X-Twice: one', 'Cookie: b=2', 'x-twice: two'];
  await ask(port, get('/', ...fields, 'X-Bytes: \xe9\xff', 'X-Empty:'));
  const pairs = requestFields(site.received()).map(([name, value]) => `${name}: ${value}`);
  expect(pairs[0]).toBe('Host: site.test');
  expect(pairs.slice(1, 8)).toEqual([...fields, 'X-Bytes: \xe9\xff', 'X-Empty: ']);
  expect(pairs.at(-1)).toBe('connection: keep-alive');
});

test('what the site gets has no probe header: only the controller probes', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port, proxy: { trustedProxies: ['loopback'] } });
  await ask(port, get('/', 'X-Slots-Probe: 1', 'x-slots-probe: 2'));
  expect(site.received().toLowerCase()).not.toContain('x-slots-probe');
});

test('what the site gets is an ordinary request when the visitor offers another protocol than WebSocket', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const offer = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAA'];
  const client = await rawClient(port);
  client.send(get('/one', ...offer));
  await client.answers(1);
  client.send(`${head('POST /two', 'Host: a', 'Content-Length: 5', ...offer)}hello`);
  await client.answers(2);
  client.send(get('/three'));
  const answers = await client.answers(3);
  const seen = answers.map((answer) => JSON.parse(answer.body));
  expect(seen.map(({ url, body }) => url + body)).toEqual(['/one', '/twohello', '/three']);
  expect(site.received().toLowerCase()).not.toContain('settings');
});

async function answerTo(head: string, request = get()) {
  const site = await startFixed(head);
  const { port } = await startPlane({ blue: site.port });
  return ask(port, request);
}

test('what the visitor gets is free of the fields that concern the site’s connection only', async () => {
  const answer = await answerTo(
    head(
      'HTTP/1.1 200 OK',
      'Connection: close, X-Named',
      'Connection: x-other',
      'Keep-Alive: timeout=1',
      'Proxy-Connection: close',
      'Proxy-Authenticate: Basic',
      'Upgrade: h2c',
      'X-Named: dropped',
      'X-Other: dropped',
      'X-Kept: kept',
      'Content-Length: 2',
    ).concat('ok'),
  );
  expect(answer).toMatchObject({ status: 200, body: 'ok' });
  expect(values(answer.fields, 'connection')).toEqual(['keep-alive']);
  expect(values(answer.fields, 'keep-alive')).toEqual(['timeout=65']);
  const names = answer.fields.map(([name]) => name.toLowerCase());
  expect(names).toContain('x-kept');
  for (const name of ['x-named', 'x-other', 'upgrade', 'proxy-connection']) {
    expect(names).not.toContain(name);
  }
});

test('what the visitor gets has its fields in order, Set-Cookie apart, names in the site’s case', async () => {
  const lines: [string, string][] = [
    ['set-COOKIE', 'a=1; Path=/'],
    ['X-lower-UPPER', '1'],
    ['Set-Cookie', 'b=2, c=3'],
    ['Link', '</a>; rel=preload'],
    ['Link', '</b>; rel=preload'],
    ['X-Bytes', 'caf\xe9'],
    ['Date', 'Thu, 01 Jan 1970 00:00:00 GMT'],
    ['Content-Length', '0'],
  ];
  const answer = await answerTo(
    head('HTTP/1.1 200 Sehr gut', ...lines.map(([name, value]) => `${name}: ${value}`)),
  );
  expect(answer.reason).toBe('Sehr gut');
  expect(answer.fields.slice(0, lines.length)).toEqual(lines);
  expect(values(answer.fields, 'date')).toHaveLength(1);
});

test('what the visitor gets is an answer even when its reason has bytes beyond ASCII, or there is none', async () => {
  const odd = await answerTo(head('HTTP/1.1 200 Tr\xe8s bien', 'Content-Length: 0'));
  expect(odd.status).toBe(200);
  const none = await answerTo(head('HTTP/1.1 299 ', 'Content-Length: 0'));
  expect(none.status).toBe(299);
});

test('what the visitor gets keeps the connection although the site closes its own', async () => {
  const site = await startOrigin((_request, response) => {
    response.setHeader('connection', 'close');
    response.end('closing');
  });
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  for (let i = 1; i <= 3; i++) {
    client.send(get());
    await client.answers(i);
  }
  expect(client.state()).toBe('open');
  expect(site.wires.length).toBe(3);
});

async function releaseIn(exposeRelease: boolean, forged: string[]) {
  const site = await startFixed(head('HTTP/1.1 200 OK', 'Content-Length: 0', ...forged));
  const { port } = await startPlane({ blue: site.port, proxy: { exposeRelease } });
  const answer = await ask(port, get());
  return values(answer.fields, 'x-slots-release');
}

test('x-slots-release names the release that answered', async () => {
  expect(await releaseIn(true, [])).toEqual(['release-blue']);
});

test('x-slots-release is the proxy’s own word: the site’s is replaced', async () => {
  expect(await releaseIn(true, ['X-Slots-Release: forged'])).toEqual(['release-blue']);
});

test('x-slots-release is absent, forged or not, without exposeRelease', async () => {
  expect(await releaseIn(false, [])).toEqual([]);
  expect(await releaseIn(false, ['X-Slots-Release: forged'])).toEqual([]);
});

test('x-slots-release follows a flip', async () => {
  const [blue, green] = [await startEcho(), await startEcho()];
  const { port, assign } = await startPlane({ blue: blue.port, green: green.port });
  assign({ active: 'green' });
  const answer = await ask(port, get());
  expect(values(answer.fields, 'x-slots-release')).toEqual(['release-green']);
  expect(blue.received()).toBe('');
});

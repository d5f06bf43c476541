import { expect, test } from 'vitest';
import { startAdmin, TOKEN } from '../../support/admin-server.ts';
import { exampleOf } from '../../support/test-operations.ts';

const BEARER = { authorization: `Bearer ${TOKEN}` };

test.each([
  ['GET', '/api/health', `{"ok":true,"pid":${process.pid}}\n`],
  ['GET', '/metrics', 'metrics'],
  ['HEAD', '/metrics', ''],
])('without a token: %s %s is answered', async (method, path, body) => {
  const { ask } = await startAdmin();
  expect(await ask(method, path)).toMatchObject({ status: 200, body });
});

test('without a token: the dashboard is answered, and nobody may put it in a frame', async () => {
  const { ask } = await startAdmin();
  const page = await ask('GET', '/');
  expect(page.status).toBe(200);
  expect(page.headers).toMatchObject({
    'content-type': expect.stringContaining('text/html'),
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
});

test.each([
  ['GET', '/api/status'],
  ['GET', '/api/events'],
  ['GET', '/api/openapi.json'],
  ['GET', '/api/'],
  ['GET', '/%61pi/status'],
  ['GET', '/api/%73tatus'],
  ['OPTIONS', '/api/status'],
  ['PROPFIND', '/api/status'],
  ['GET', '/api/health/'],
  ['GET', '/api/nothing'],
  ['POST', '/api/promote'],
  ['POST', '/api/rollback'],
])('without a token: %s %s is refused, and says how to get in', async (method, path) => {
  const { ask } = await startAdmin();
  const answer = await ask(method, path);
  expect(answer.status).toBe(401);
  expect(answer.headers['www-authenticate']).toContain('Bearer');
  expect(JSON.parse(answer.body)).toMatchObject({
    error: { code: 'UNAUTHORIZED', hint: expect.stringContaining('slots/admin-token') },
  });
  expect(answer.body).not.toContain(TOKEN);
});

test.each(['/nothing', '//', '/%', '/api', '*', '/..%2fapi/status'])(
  'without a token: %s is not found',
  async (path) => {
    const { ask } = await startAdmin();
    expect((await ask('GET', path)).status).toBe(404);
  },
);

test('without a token: what is no reading of the dashboard or the metrics is not found', async () => {
  const { ask } = await startAdmin();
  expect((await ask('POST', '/')).status).toBe(404);
  expect((await ask('POST', '/metrics')).status).toBe(404);
  expect((await ask('GET', 'http://localhost/api/status')).status).toBe(404);
});

test('with a token in the header, every call gets through', async () => {
  const { ask } = await startAdmin();
  const status = await ask('GET', '/api/status', BEARER);
  expect(status.status).toBe(200);
  expect(JSON.parse(status.body)).toEqual(exampleOf('/api/status'));
  const promoted = await ask('POST', '/api/promote', BEARER);
  expect(promoted.status).toBe(200);
  expect(JSON.parse(promoted.body)).toEqual(exampleOf('/api/promote'));
});

test('with a token in the query, only the events do', async () => {
  const { ask, port } = await startAdmin();
  const query = `?token=${TOKEN}`;
  const events = await fetch(`http://localhost:${port}/api/events${query}`);
  expect(events.status).toBe(200);
  expect(events.headers.get('referrer-policy')).toBe('no-referrer');
  await events.body?.cancel();
  expect((await ask('GET', `/api/status${query}`)).status).toBe(401);
  expect((await ask('POST', `/api/promote${query}`)).status).toBe(401);
  expect((await ask('POST', `/api/events${query}`)).status).toBe(401);
});

test.each([
  ['a wrong one', `Bearer ${'b'.repeat(64)}`],
  ['one cut short', `Bearer ${TOKEN.slice(1)}`],
  ['one too long', `Bearer ${TOKEN}a`],
  ['none after the scheme', 'Bearer '],
  ['another scheme', `Basic ${TOKEN}`],
  ['the token alone', TOKEN],
])('with a token: %s does not', async (_name, authorization) => {
  const { ask } = await startAdmin();
  expect((await ask('GET', '/api/status', { authorization })).status).toBe(401);
  expect((await ask('GET', '/api/events?token=wrong', { authorization })).status).toBe(401);
});

const PATHS = ['/', '/metrics', '/api/health', '/api/status'];

test.each(['localhost', '127.0.0.1', '[::1]', 'localhost:9999', 'LOCALHOST:4320'])(
  'the Host: %s is the loopback, whatever the port of a tunnel is',
  async (host) => {
    const { ask } = await startAdmin();
    for (const path of PATHS) {
      expect((await ask('GET', path, { ...BEARER, host })).status).toBe(200);
    }
  },
);

test.each([
  ['a name that may point here by DNS rebinding', 'evil.example'],
  ['with our port', 'evil.example:4320'],
  ['that begins like ours', 'localhost.evil.example'],
  ['that ends like ours', 'evil-localhost'],
  ['of another address', '192.168.1.5:4320'],
  ['with a user', 'localhost@evil.example'],
  ['that is empty', ''],
])('the Host: %s is refused everywhere, even with the token', async (_name, host) => {
  const { ask } = await startAdmin();
  for (const path of PATHS) {
    const answer = await ask('GET', path, { ...BEARER, host });
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'FORBIDDEN' } });
  }
});

test('the Host that the config lists is let in, with any port', async () => {
  const { ask } = await startAdmin({ hosts: ['Box.lan', '[fd00::1]'] });
  for (const host of ['box.lan:4320', 'BOX.LAN', '[FD00::1]:4320']) {
    expect((await ask('GET', '/metrics', { host })).status).toBe(200);
  }
  expect((await ask('GET', '/metrics', { host: 'other.lan' })).status).toBe(403);
});

test.each([
  ['another site', 'https://evil.example'],
  ['another port of this machine', 'http://localhost:3000'],
  ['a sandboxed page or a file', 'null'],
  ['an extension', 'moz-extension://0b6f1c9e'],
  ['nothing', ''],
])('the Origin of %s is refused everywhere, even with the token', async (_name, origin) => {
  const { ask } = await startAdmin();
  for (const path of ['/', '/metrics', '/api/health', '/api/status']) {
    expect((await ask('GET', path, { ...BEARER, origin })).status).toBe(403);
  }
  expect((await ask('POST', '/api/promote', { ...BEARER, origin })).status).toBe(403);
});

test('the Origin of the page itself is let in', async () => {
  const { ask, port } = await startAdmin();
  const own = { ...BEARER, origin: `http://localhost:${port}` };
  expect((await ask('POST', '/api/promote', own)).status).toBe(200);
  const numeric = {
    ...BEARER,
    host: `127.0.0.1:${port}`,
    origin: `http://127.0.0.1:${port}`,
  };
  expect((await ask('POST', '/api/promote', numeric)).status).toBe(200);
});

test('the Origin is the same behind a proxy that speaks TLS and has a name of its own', async () => {
  const { ask } = await startAdmin({ hosts: ['slots.example'] });
  const fields = { ...BEARER, host: 'slots.example', origin: 'https://slots.example' };
  expect((await ask('POST', '/api/promote', fields)).status).toBe(200);
});

const deployed = exampleOf('/hooks/git');
const gitHook = async () => deployed;

test('the git hook is called by any name and from any page, since it is signed', async () => {
  const { ask } = await startAdmin({ gitHook });
  const fields = { host: 'deploy.example', origin: 'https://git.example' };
  const answer = await ask('POST', '/hooks/git', fields);
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.body)).toEqual(deployed);
  expect((await ask('GET', '/hooks/git')).status).toBe(404);
});

test('the git hook is not there without deploys in the config', async () => {
  const { ask } = await startAdmin();
  expect((await ask('POST', '/hooks/git')).status).toBe(404);
});

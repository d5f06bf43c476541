import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { FleetConfig } from '../../../src/config/fleet-schema.ts';
import { openConnection } from '../../../src/controller/fleet/connection.ts';
import { credentials, refusal, tlsOptions } from '../../../src/controller/fleet/credentials.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** Says that it is a NATS server without TLS, as one between a machine and its NATS would, and keeps what it is sent. */
async function serverWithoutTls() {
  const sent: string[] = [];
  const server = createServer((socket) => {
    socket.on('data', (bytes) => sent.push(bytes.toString())).on('error', () => {});
    const info = { server_id: 'between', version: '2.9.10', max_payload: 1_048_576, headers: true };
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, sent };
}

function configOf(servers: string[]): FleetConfig {
  return { servers, group: 'test', id: 'web1', leaseMs: 500 } as unknown as FleetConfig;
}

test('a server that says it has no TLS is sent nothing where tls:// asks for it', async () => {
  const { port, sent } = await serverWithoutTls();
  await expect(openConnection(configOf([`tls://127.0.0.1:${port}`]))).rejects.toMatchObject({
    code: 'FLEET_UNREACHABLE',
    message: expect.stringContaining(`NATS at tls://127.0.0.1:${port} has no TLS`),
  });
  expect(sent).toEqual([]);
  // The same server gets the credentials where nobody asks for TLS.
  await openConnection(configOf([`nats://127.0.0.1:${port}`])).catch(() => {});
  expect(sent.join('')).toContain('CONNECT');
});

test('each server that cannot be used is named, with its own reason', async () => {
  const { port } = await serverWithoutTls();
  const [secure, closed] = [`tls://127.0.0.1:${port}`, 'nats://127.0.0.1:1'];
  const { message } = await openConnection(configOf([secure, closed])).catch((error) => error);
  expect(message).toMatch(
    new RegExp(`^NATS at ${closed} cannot be used: .+; NATS at ${secure} has no TLS`),
  );
});

test('TLS is asked for by tls:// or by a CA, and the host is what the certificate has to name', async () => {
  const file = join(await tempFolder(), 'ca.pem');
  await writeFile(file, 'the CA');
  expect(tlsOptions('nats://10.0.0.5:4222', {})).toEqual({});
  expect(tlsOptions('tls://10.0.0.5:4222', {})).toEqual({ tls: { host: '10.0.0.5' } });
  expect(tlsOptions('tls://[::1]:4222', {})).toEqual({ tls: { host: '::1' } });
  expect(tlsOptions('nats://nats.lan:4222', { NATS_CA: file })).toEqual({
    tls: { host: 'nats.lan', ca: 'the CA' },
  });
});

test('a file that cannot be read is named with its variable', () => {
  expect(() => credentials({ NATS_CREDS: '/nowhere/web1.creds' })).toThrow(
    /^the file of NATS_CREDS cannot be read: .*\/nowhere\/web1\.creds/,
  );
  expect(() => tlsOptions('tls://a:1', { NATS_CA: '/nowhere/ca.pem' })).toThrow(
    /^the file of NATS_CA cannot be read: .*\/nowhere\/ca\.pem/,
  );
});

test('who is refused is named, and no secret', () => {
  const denied = Object.assign(new Error('Authorization Violation'), {
    name: 'AuthorizationError',
  });
  const secrets = { NATS_PASSWORD: 'pass-word', NATS_TOKEN: 'to-ken' };
  const said = [
    { NATS_USER: 'blog', ...secrets },
    { NATS_CREDS: '/etc/web1.creds', ...secrets },
    secrets,
    {},
  ].map((env) => refusal(denied, env).what);
  expect(said).toEqual([
    'refuses user blog (NATS_USER, NATS_PASSWORD): Authorization Violation',
    'refuses the credentials in /etc/web1.creds (NATS_CREDS): Authorization Violation',
    'refuses the token (NATS_TOKEN): Authorization Violation',
    'refuses this machine, whose environment has no credentials: Authorization Violation',
  ]);
});

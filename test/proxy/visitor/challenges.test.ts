import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createSecureContext, type TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { proxySchema } from '../../../src/config/proxy-schema.ts';
import { createChallengeAnswers } from '../../../src/proxy/visitor/challenges.ts';
import { createListener } from '../../../src/proxy/visitor/listener.ts';
import { selfSigned } from '../../../src/proxy/visitor/placeholder.ts';

const ACME = { email: 'me@example.com', agreeTos: true, hosts: ['a.example'] };

async function start() {
  const usual = await selfSigned(['a.example']);
  const challenges = createChallengeAnswers();
  const context = createSecureContext(usual);
  const certificates = {
    standard: { ...usual, minVersion: 'TLSv1.2' as const },
    contextFor: (host: string) => (host === 'a.example' ? context : undefined),
  };
  const config = proxySchema.parse({ tls: { acme: ACME } });
  const server = createListener(config, { certificates, challenges }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, challenges };
}

async function shakeHands(port: number, version: 'TLSv1.2' | 'TLSv1.3', protocols: string[]) {
  const socket: TLSSocket = connect({
    host: '127.0.0.1',
    port,
    servername: 'a.example',
    ALPNProtocols: protocols,
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
  });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return { socket, names: socket.getPeerCertificate().subjectaltname };
}

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  "a CA's handshake is answered with what it wants to see, and every other one with the certificate: %s",
  async (version) => {
    const { port, challenges } = await start();
    const { cert, key } = await selfSigned(['challenge.example']);
    challenges.set([{ type: 'tls-alpn-01', host: 'a.example', cert, key }]);
    const asked = await shakeHands(port, version, ['acme-tls/1']);
    expect(asked.names).toBe('DNS:challenge.example');
    expect(asked.socket.alpnProtocol).toBe('acme-tls/1');
    asked.socket.resume();
    await once(asked.socket, 'close');
    for (const protocols of [['h2', 'http/1.1'], ['http/1.1'], []]) {
      const visitor = await shakeHands(port, version, protocols);
      expect(visitor.names).toBe('DNS:a.example');
      expect(visitor.socket.alpnProtocol).toBe(protocols[0] ?? false);
    }
  },
);

test('a handshake for the protocol of CAs fails while nothing is asked', async () => {
  const { port, challenges } = await start();
  await expect(shakeHands(port, 'TLSv1.3', ['acme-tls/1'])).rejects.toThrow();
  challenges.set([]);
  await expect(shakeHands(port, 'TLSv1.2', ['acme-tls/1'])).rejects.toThrow();
});

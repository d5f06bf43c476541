import { execFileSync } from 'node:child_process';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { startPlane } from '../../support/plane.ts';
import { rawClient } from '../../support/raw-http.ts';
import { makeCertificate, tlsSocket } from '../../support/tls.ts';

/** What the kernel says of the server's end of a connection: `timer:(keepalive,59sec,0)`. */
function timerOf(client: Socket, port: number): string {
  const filter = ['sport', '=', `:${port}`, 'and', 'dport', '=', `:${client.localPort}`];
  return execFileSync('ss', ['-Htno', ...filter], { encoding: 'utf8' });
}

const hasSs = (() => {
  try {
    execFileSync('ss', ['-V']);
    return true;
  } catch {
    return false;
  }
})();

test.runIf(hasSs).each(['http/1.1', 'h2', 'no TLS'])(
  'the kernel asks after a silent visitor within a minute: %s',
  async (protocol) => {
    const tls = protocol === 'no TLS' ? undefined : await makeCertificate();
    const { port } = await startPlane({ proxy: { tls } });
    const client = tls ? await tlsSocket(port, [protocol]) : (await rawClient(port)).socket;
    const seconds = /timer:\(keepalive,(?:(\d+)min)?(\d+)?/.exec(timerOf(client, port));
    expect(seconds, timerOf(client, port)).not.toBeNull();
    const [, minutes = '0', rest = '0'] = seconds as RegExpExecArray;
    expect(Number(minutes) * 60 + Number(rest)).toBeLessThanOrEqual(60);
  },
);

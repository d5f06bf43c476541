import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { checkPort, checkPorts } from '../../src/cli/check-ports.ts';
import { freePorts } from '../support/free-ports.ts';
import { testConfig } from '../support/test-config.ts';

test.each([
  ['no address at all', '999.1.1.1'],
  ["another machine's", '203.0.113.9'],
])('a host that is %s is named with its key, and is no bug of ours', async (_what, host) => {
  const [port = 0] = await freePorts(1);
  await expect(checkPort('ports.proxy', port, host)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/^host: ".*" \(an address of this machine/),
    hint: 'correct "host" in slots.config.ts',
  });
});

test('the admin port is asked for at the address that it will listen on', async () => {
  const [port = 0] = await freePorts(1);
  const config = testConfig({ admin: { host: '127.0.0.2' } });
  config.ports.admin = port;
  const other = createServer().listen(port, '127.0.0.2');
  onTestFinished(() => void other.close());
  await expect(checkPorts(config, 'watcher')).rejects.toMatchObject({ code: 'PORT_TAKEN' });
  config.admin.host = 'nowhere.invalid';
  await expect(checkPorts(config, 'watcher')).rejects.toThrow('admin.host: "nowhere.invalid"');
});

/** What `checkPort` says of port 81 as a user who may not listen there. */
async function asUser(host: string, pm2MayListen: boolean): Promise<string> {
  const module = fileURLToPath(new URL('../../src/cli/check-ports.ts', import.meta.url));
  const script = `
    import { checkPort } from ${JSON.stringify(module)};
    process.setuid?.(process.getuid?.() === 0 ? 65534 : process.getuid());
    await checkPort('ports.http', 81, ${JSON.stringify(host)}, 'front.json', async () => ${pm2MayListen}).then(
      () => console.log('may'),
      ({ code }) => console.log(code),
    );
  `;
  const args = ['--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return stdout.trim();
}

const unprivilegedFrom = Number(
  readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'),
);

test.skipIf(unprivilegedFrom <= 81)(
  'a low port that PM2 may listen on by the capability of its unit is not refused to a person without it',
  async () => {
    expect(await asUser('127.0.0.3', true)).toBe('may');
    expect(await asUser('127.0.0.3', false)).toBe('PORT_FORBIDDEN');
  },
);

test.skipIf(unprivilegedFrom <= 81 || process.getuid?.() !== 0)(
  'a low port of another program is taken, though nobody may listen there to find out',
  async () => {
    const other = createServer().listen(81, '127.0.0.4');
    onTestFinished(() => void other.close());
    await once(other, 'listening');
    expect(await asUser('127.0.0.4', true)).toBe('PORT_TAKEN');
  },
);

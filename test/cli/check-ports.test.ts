import { createServer } from 'node:net';
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

import { expect, test } from 'vitest';
import { lowPorts, type Privileges, unitOf } from '../../../src/cli/doctor/low-ports.ts';
import { hasNetBind } from '../../../src/cli/low-port-capability.ts';

const nobody: Privileges = {
  unprivilegedFrom: 1024,
  hasCapability: false,
  unit: null,
  node: '/usr/bin/node',
};
const levels = (ports: number[], privileges: Privileges) =>
  lowPorts(ports, privileges).map(({ name, level }) => `${name} ${level}`);

test('ports that any user may have need nothing', () => {
  expect(levels([8080, 8443], nobody)).toEqual(['low-ports ok']);
  expect(levels([80, 443], { ...nobody, unprivilegedFrom: 80 })).toEqual(['low-ports ok']);
});

test('a capability of PM2 is enough', () => {
  expect(levels([80, 443], { ...nobody, hasCapability: true })).toEqual(['low-ports ok']);
});

test('where a low port is forbidden, each way to allow it is named with its command', () => {
  const [first, ...ways] = lowPorts([80, 443], { ...nobody, unit: 'pm2-me.service' });
  expect(first).toMatchObject({
    level: 'problem',
    message: 'this user may not listen on 80 and 443',
  });
  const hints = Object.fromEntries(ways.map(({ name, hint }) => [name, hint]));
  expect(hints['low-ports sysctl']).toContain('ip_unprivileged_port_start=80 ');
  expect(hints['low-ports systemd']).toMatch(/systemctl edit pm2-me\.service.*AmbientCapabilities/);
  expect(hints['low-ports setcap']).toContain('setcap cap_net_bind_service=+ep /usr/bin/node');
});

test('only the ports that are low are said to be forbidden', () => {
  expect(lowPorts([8080, 443], nobody)[0]?.message).toBe('this user may not listen on 443');
});

test('the capability is read from its bit in CapEff', () => {
  expect(hasNetBind('Name:\tnode\nCapEff:\t0000000000000400\n')).toBe(true);
  expect(hasNetBind('Name:\tnode\nCapEff:\t0000000000000000\n')).toBe(false);
  expect(hasNetBind('CapEff:\t000001fffffffbff\n')).toBe(false);
});

test('the unit is the innermost service that is not the user manager', () => {
  expect(unitOf('0::/system.slice/pm2-me.service\n')).toBe('pm2-me.service');
  expect(unitOf('0::/user.slice/user-1.slice/user@1.service/app.slice/pm2.service\n')).toBe(
    'pm2.service',
  );
  expect(unitOf('0::/user.slice/user-1.slice/user@1.service/app.slice\n')).toBeNull();
});

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dashboardAddress } from '../../../src/cli/dash.ts';
import { browserCommand, openBrowser } from '../../../src/cli/terminal/browser.ts';
import type { Config } from '../../../src/config/schema.ts';
import { tempFolder } from '../../support/temp-folder.ts';

test.each([
  [{ BROWSER: 'firefox' }, 'linux', 'firefox'],
  [{ DISPLAY: ':0' }, 'linux', 'xdg-open'],
  [{ WAYLAND_DISPLAY: 'wayland-0' }, 'linux', 'xdg-open'],
  [{ WSL_DISTRO_NAME: 'Debian' }, 'linux', 'wslview'],
  [{}, 'darwin', 'open'],
  [{}, 'linux', null],
] as const)('with %j on %s the browser is %s', (env, platform, expected) => {
  expect(browserCommand(env, platform)).toBe(expected);
});

test('a browser that is not installed is none', async () => {
  expect(await openBrowser(join(await tempFolder(), 'no-browser'), 'file:///page')).toBe(false);
});

test.each([
  ['127.0.0.1', 'http://127.0.0.1:4320/#token=abc'],
  ['0.0.0.0', 'http://127.0.0.1:4320/#token=abc'],
  ['::', 'http://127.0.0.1:4320/#token=abc'],
  ['::1', 'http://[::1]:4320/#token=abc'],
  ['box.lan', 'http://box.lan:4320/#token=abc'],
])('listening on %s, the dashboard is at %s', (host, expected) => {
  const config = { admin: { host }, ports: { admin: 4320 } } as Config;
  expect(dashboardAddress(config, 'abc')).toBe(expected);
});

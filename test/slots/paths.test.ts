import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { releaseDir, sitePaths, slotLink } from '../../src/slots/paths.ts';

test('sitePaths puts everything below the site, where the design says it is', () => {
  const paths = sitePaths('/srv/site');
  expect(paths).toEqual({
    root: '/srv/site',
    slots: '/srv/site/slots',
    releases: '/srv/site/slots/releases',
    run: '/srv/site/slots/run',
    state: '/srv/site/slots/state.json',
    sourceCache: '/srv/site/slots/source.json',
    written: '/srv/site/slots/written',
    history: '/srv/site/slots/history.jsonl',
    failedBuildLog: '/srv/site/slots/failed-build.log',
    adminToken: '/srv/site/slots/admin-token',
    assets: '/srv/site/slots/assets',
    certs: '/srv/site/slots/certs',
    secrets: '/srv/site/slots/secrets.json',
    controlSocket: '/srv/site/slots/control.sock',
  });
  expect(slotLink(paths, 'blue')).toBe('/srv/site/slots/blue');
  expect(slotLink(paths, 'green')).toBe('/srv/site/slots/green');
  expect(releaseDir(paths, 'r1')).toBe('/srv/site/slots/releases/r1');
});

test('sitePaths moves the control socket to the temp folder when its path is too long for a socket', () => {
  const { controlSocket } = sitePaths(`/srv/${'long'.repeat(30)}`);
  expect(dirname(controlSocket)).toBe(tmpdir());
});

test('sitePaths counts the path in bytes, as the kernel does', () => {
  const { controlSocket } = sitePaths(`/srv/${'ü'.repeat(45)}`);
  expect(dirname(controlSocket)).toBe(tmpdir());
});

test('sitePaths always gives the same short socket for the same site, and others for others', () => {
  const long = (name: string) => `/srv/${'long'.repeat(30)}/${name}`;
  expect(sitePaths(long('a')).controlSocket).toBe(sitePaths(long('a')).controlSocket);
  expect(sitePaths(long('a')).controlSocket).not.toBe(sitePaths(long('b')).controlSocket);
});

test('sitePaths never gives a socket path that a kernel would cut', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1, maxLength: 30 })), (names) => {
      const { controlSocket } = sitePaths(join('/srv', ...names));
      expect(Buffer.byteLength(controlSocket)).toBeLessThan(104);
    }),
  );
});

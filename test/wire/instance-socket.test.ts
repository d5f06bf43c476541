import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { sitePaths } from '../../src/slots/paths.ts';
import { instanceSocket, instanceSockets } from '../../src/wire/instance-socket.ts';

test('an instance listens in slots/run, under the name of its slot and its number', () => {
  const { run } = sitePaths('/srv/blog');
  expect(instanceSocket(run, 'blue', 1)).toBe('/srv/blog/slots/run/blue-1.sock');
  expect(instanceSockets(run, 'green', 2)).toEqual([
    '/srv/blog/slots/run/green-0.sock',
    '/srv/blog/slots/run/green-1.sock',
  ]);
});

test('a site whose path is too long for a socket has short ones, of its own, elsewhere', () => {
  const deep = (name: string) => sitePaths(join('/srv', 'x'.repeat(80), name)).run;
  const socket = instanceSocket(deep('one'), 'green', 999);
  expect(Buffer.byteLength(`${socket}.4194304`)).toBeLessThanOrEqual(100);
  expect(dirname(socket)).not.toBe(deep('two'));
});

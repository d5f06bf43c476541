import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  createRegistrationReader,
  readRegistrations,
  removeRegistration,
  writeRegistration,
} from '../../src/config/registered-site.ts';
import { homePaths } from '../../src/slots/home.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { testConfig } from '../support/test-config.ts';

const LONG_AGO = new Date(Date.UTC(2026, 0, 1));

async function home() {
  const paths = homePaths(await tempFolder('h-'));
  const root = join(paths.home, 'root');
  mkdirSync(root);
  const file = join(paths.sites, 'one.json');
  const register = (host: string) => {
    writeRegistration(paths, root, testConfig({ name: 'one', hosts: [host] }), [host]);
  };
  register('a.test');
  return { paths, root, file, register };
}

const hosts = (read: ReturnType<typeof readRegistrations>) => read.map(({ site }) => site?.hosts);

test('a registration that has not changed is not read again, and one that has is', async () => {
  const { paths, file, register } = await home();
  utimesSync(file, LONG_AGO, LONG_AGO);
  const read = createRegistrationReader(paths);
  const [first] = read();
  const [again] = read();
  expect(again?.site).toBe(first?.site);
  register('b.test');
  expect(hosts(read())).toEqual([['b.test']]);
});

test('a file that was written to a moment ago is read each time, for its time may not change', async () => {
  const { paths, file } = await home();
  const read = createRegistrationReader(paths);
  expect(hosts(read())).toEqual([['a.test']]);
  writeFileSync(file, readFileSync(file, 'utf8').replace('a.test', 'z.test'));
  expect(hosts(read())).toEqual([['z.test']]);
});

test('a site whose folder is gone, and one that is taken out, are noticed though their files were known', async () => {
  const { paths, root, file } = await home();
  utimesSync(file, LONG_AGO, LONG_AGO);
  const read = createRegistrationReader(paths);
  read();
  rmSync(root, { recursive: true });
  expect(read()).toEqual(readRegistrations(paths));
  expect(read()).toMatchObject([{ site: null, isGone: true }]);
  mkdirSync(root);
  expect(hosts(read())).toEqual([['a.test']]);
  removeRegistration(paths, root, 'one');
  expect(read()).toEqual([]);
});

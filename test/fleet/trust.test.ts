import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  allReady,
  allServe,
  connectionTo,
  type Machine,
  machine,
  startAll,
} from '../support/fleet.ts';
import { natsServer } from '../support/nats.ts';
import { lacking, skipFor } from '../support/needs.ts';
import { until } from '../support/until.ts';

const lacks = lacking('nats-server');

/** What a command has printed, when it has succeeded. */
async function printed(site: Machine, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await site.slots(...args);
  if (exitCode !== 0) throw new Error(`slots ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

test('machines with the key of their group take each other’s releases, and one with another key takes none', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const nats = await natsServer();
  const [web1, web2] = [await machine('web1', nats.url), await machine('web2', nats.url)];
  const both = [web1, web2];
  const word = await printed(web1, 'fleet', 'invite');
  expect(await printed(web2, 'fleet', 'join', word)).toMatch(
    /^web2 joined test \(key [0-9a-f]{16}\)$/,
  );
  await startAll(both);
  await web1.edit('page.txt', 'signed');
  await allServe(both, 'signed');
  const copy = join(web2.root, 'src/content/page.txt');
  await until(async () => (await readFile(copy, 'utf8')) === 'signed', 'web2 to have the edit');
  await web2.edit('page.txt', 'signed by web2');
  await allServe(both, 'signed by web2');
  const before = await allReady(both);
  const own = join(web1.root, 'src/content/page.txt');
  await until(async () => (await readFile(own, 'utf8')) === 'signed by web2', 'web1 to have it');

  const stranger = await machine('web3', nats.url);
  const other = await printed(stranger, 'fleet', 'invite');
  await printed(web2, 'fleet', 'join', '--force', other);
  await web1.edit('page.txt', 'not trusted');
  const { error } = await until(async () => {
    const { last, promotion } = await web1.status();
    return promotion === null && last?.outcome === 'failed' && last;
  }, 'the promotion to fail');
  expect(error).toMatch(/web2 could not prepare it: release r\S+ was signed with another key/);
  expect(await allReady(both)).toBe(before);

  await printed(web2, 'fleet', 'join', '--force', word);
  await web1.edit('page.txt', 'trusted again');
  await allServe(both, 'trusted again');
});

test('a machine that is invited to what was served before there was a key catches up, and its edits go live', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const nats = await natsServer();
  const [web1, web2] = [await machine('web1', nats.url), await machine('web2', nats.url)];
  await startAll([web1]);
  const release = await allReady([web1]);
  await printed(web2, 'fleet', 'join', await printed(web1, 'fleet', 'invite'));
  await startAll([web2]);
  expect(await allReady([web1, web2])).toBe(release);
  await web2.edit('page.txt', 'by web2');
  await allServe([web1, web2], 'by web2');
});

test('slots up of a machine with another key says why it gets no release', async ({ skip }) => {
  skipFor(skip, lacks);
  const nats = await natsServer();
  const [web1, web2] = [await machine('web1', nats.url), await machine('web2', nats.url)];
  await startAll([web1]);
  await printed(web1, 'fleet', 'invite');
  await printed(web2, 'fleet', 'invite');
  const { exitCode, stderr } = await web2.slots('up');
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    /no release is live: r\S+, which all serve, cannot be had: release r\S+ (is not signed|was signed with another key)/,
  );
  expect(stderr).not.toContain('    at ');
});

test('a source that a stranger has put into the store is taken over by nobody', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const nats = await natsServer();
  const [web1, web2] = [await machine('web1', nats.url), await machine('web2', nats.url)];
  const both = [web1, web2];
  await printed(web2, 'fleet', 'join', await printed(web1, 'fleet', 'invite'));
  await startAll(both);
  await web1.edit('page.txt', 'ours');
  await allServe(both, 'ours');
  const release = await allReady(both);

  const connection = await connectionTo(nats);
  const put = (name: string, bytes: string) =>
    connection.objects.putBlob({ name }, Buffer.from(bytes));
  const hash = createHash('sha256').update('theirs').digest('hex');
  const source = { release, files: { 'src/content/page.txt': hash } };
  await put(`file.${hash}`, 'theirs');
  await put(`source.${release}`, JSON.stringify({ source: JSON.stringify(source) }));
  await connection.close();

  // It is looked at when its controller starts.
  const late = await machine('web3', nats.url);
  await printed(late, 'fleet', 'join', await printed(web1, 'fleet', 'invite'));
  await startAll([late]);
  await allServe([late], 'ours');
  await until(async () => {
    const { stdout } = await late.slots('logs', 'watcher', '-n', '100');
    return stdout.includes(`the source of ${release} is not signed`);
  }, 'web3 to refuse the source');
  expect(await readFile(join(late.root, 'src/content/page.txt'), 'utf8')).not.toBe('theirs');

  // What the others have edited is unknown there, so that an edit might undo it: it waits, and says why.
  await late.edit('page.txt', 'over it');
  await until(async () => (await late.fleet()).problem?.includes('is not signed'), 'it to say so');
  expect((await late.get()).body).toBe('ours');
});

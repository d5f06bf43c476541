import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { FleetConnection } from '../../src/controller/fleet/connection.ts';
import { createSourceStore } from '../../src/controller/fleet/source-store.ts';
import { sitePaths } from '../../src/slots/paths.ts';
import { allReady, allServe, connectionTo, machine, startAll } from '../support/fleet.ts';
import { natsServer } from '../support/nats.ts';
import { lacking, skipFor } from '../support/needs.ts';
import { until } from '../support/until.ts';

const lacks = lacking('nats-server');

/** Of the objects that are there, what follows this prefix. */
async function there({ objects }: FleetConnection, prefix: string): Promise<string[]> {
  const names = (await objects.list()).map(({ name }) => name);
  return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

test('the store holds no more than the kept releases, their sources, and the machines that are not forgotten', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const nats = await natsServer();
  const web1 = await machine('web1', nats.url, { config: { keep: 2 } });
  await startAll([web1]);
  const store = await connectionTo(nats);
  const gone = { id: 'web9', address: '10.0.0.9:4321', release: null, epoch: 1, at: 0 };
  await store.fleet.put('seen.web9', gone);
  const edits = ['first', 'second', 'third', 'fourth'];
  for (const text of edits) {
    await web1.edit('page.txt', text);
    await allServe([web1], text);
    await web1.settled();
  }
  const release = await allReady([web1]);
  await until(
    async () => !(await there(store, 'file.')).includes(sha256('second')),
    'what is not kept to leave the store',
  );
  const kept = await there(store, 'manifest.');
  expect(kept).toHaveLength(2);
  expect(kept).toContain(release);
  expect((await there(store, 'source.')).sort()).toEqual(kept.sort());
  const files = await there(store, 'file.');
  expect(edits.map((text) => files.includes(sha256(text)))).toEqual([false, false, true, true]);
  await until(async () => (await store.fleet.get('seen.web9'))?.value == null, 'web9 to be gone');
  expect((await store.fleet.get('seen.web1'))?.value).toMatchObject({ id: 'web1' });
  await store.close();
});

test('a file that has left the store is put there again with the next source that has it', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const nats = await natsServer();
  const connection = await connectionTo(nats);
  const root = await mkdtemp(join(tmpdir(), 'sources-'));
  onTestFinished(async () => {
    await connection.close();
    await rm(root, { recursive: true, force: true });
  });
  const store = createSourceStore(sitePaths(root), 'test', () => connection.objects);
  await writeFile(join(root, 'page.txt'), 'old');
  const old = { release: 'r1', files: { 'page.txt': sha256('old') } };
  await store.publish(old, null);
  // The source of a release that is kept, but not the file of one that is not.
  await store.publish({ release: 'r2', files: {} }, old);
  await store.prune(new Set(['r2']), () => true);
  expect(await there(connection, 'file.')).toEqual([]);
  expect(await there(connection, 'source.')).toEqual(['r2']);
  await store.publish({ ...old, release: 'r3' }, old);
  expect((await store.file(sha256('old'))).toString()).toBe('old');

  // One whose lease is over removes nothing.
  await store.prune(new Set(), () => false);
  expect(await there(connection, 'source.')).toEqual(['r2', 'r3']);
  // A source that cannot be read may name any file.
  await connection.objects.putBlob({ name: 'source.r4' }, Buffer.from('{'));
  await store.prune(new Set(['r4']), () => true);
  expect(await there(connection, 'source.')).toEqual(['r4']);
  expect(await there(connection, 'file.')).toEqual([sha256('old')]);
});

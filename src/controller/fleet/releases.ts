/** Releases on their way from the machine that built them to the others, through the object store. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ObjectStore } from '@nats-io/obj';
import { z } from 'zod';
import { LOCK_FILES } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { SlotsError } from '../../errors.ts';
import { type Machine, thisMachine } from '../../slots/archive/machine.ts';
import { type Manifest, manifestSchema } from '../../slots/archive/manifest.ts';
import { packRelease } from '../../slots/archive/pack.ts';
import {
  openManifest,
  type SignedManifest,
  signedManifestSchema,
  signManifest,
} from '../../slots/archive/signature.ts';
import { keptRelease, unpackRelease } from '../../slots/archive/unpack.ts';
import { readFleetKey } from '../../slots/fleet-key.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { installFor } from './dependencies.ts';
import { getBlob, getParts, partName, putParts } from './parts.ts';

/** Written when all parts are there, so that a release whose machine died half way is none. */
const publishedSchema = z.object({ signed: signedManifestSchema, parts: z.int().min(0) });

export interface ReleaseStore {
  /** Puts a release there, unless it is. */
  publish(id: string): Promise<void>;
  /**
   * Gets a release, unless it is here.
   *
   * @throws SlotsError `FLEET_NO_RELEASE` when the store does not have it, or those of `unpackRelease`
   */
  fetch(id: string): Promise<void>;
  /**
   * Removes what is not among the newest so many, nor one of these.
   *
   * @returns what the store still has
   */
  prune(keep: number, inUse: ReadonlySet<string>): Promise<Set<string>>;
}

/** @param objects throws when the fleet is away */
export function createReleaseStore(
  config: Config,
  paths: SitePaths,
  objects: () => ObjectStore,
): ReleaseStore {
  const machine = (): Promise<Machine> => {
    const name = LOCK_FILES.find((file) => existsSync(join(paths.root, file)));
    return thisMachine(name ? join(paths.root, name) : null);
  };
  const { shared } = config;
  const group = config.fleet?.group ?? '';

  async function published(id: string) {
    const bytes = await getBlob(objects(), manifestName(id));
    if (bytes === null) return null;
    const parsed = publishedSchema.safeParse(jsonOf(bytes));
    if (!parsed.success) throw unreadable(id);
    const manifest = opened(parsed.data.signed);
    if (manifest.id !== id) throw unreadable(id);
    return { manifest, parts: parsed.data.parts };
  }

  /** A group without a key trusts whoever can write to the store; with one nobody else's release is taken. */
  function opened(signed: SignedManifest): Manifest {
    const key = readFleetKey(paths, group);
    if (key !== null || signed.signature !== undefined) return openManifest(signed, key);
    return manifestSchema.parse(jsonOf(Buffer.from(signed.manifest)));
  }

  function sealed(manifest: Manifest): SignedManifest {
    const key = readFleetKey(paths, group);
    return key ? signManifest(manifest, key) : { manifest: JSON.stringify(manifest) };
  }

  return {
    async publish(id) {
      // One that this machine cannot trust is written anew.
      if (await published(id).catch(() => null)) return;
      const { stream, manifest } = await packRelease(paths, id, {
        machine: await machine(),
        shared,
      });
      const parts = await putParts(objects(), releaseName(id), stream);
      const record = JSON.stringify({ signed: sealed(await manifest), parts });
      await objects().putBlob({ name: manifestName(id) }, Buffer.from(record));
    },

    async fetch(id) {
      const found = await published(id);
      if (found === null) {
        throw new SlotsError('FLEET_NO_RELEASE', `the fleet's store does not have ${id}`, {
          hint: 'a machine that has it puts it back by itself',
        });
      }
      if (await keptRelease(paths, found.manifest)) return;
      await installFor(found.manifest, config, paths);
      const stream = getParts(objects(), releaseName(id), found.parts);
      await unpackRelease(paths, found.manifest, stream, { machine: await machine(), shared });
    },

    async prune(keep, inUse) {
      const names = (await objects().list()).map(({ name }) => name);
      const ids = names.filter((name) => name.startsWith('manifest.')).map((name) => name.slice(9));
      const old = ids.sort((a, b) => (a < b ? 1 : -1)).slice(keep);
      const kept = new Set(ids);
      for (const id of old.filter((one) => !inUse.has(one))) {
        kept.delete(id);
        // First what makes it a release.
        await objects().delete(manifestName(id));
        for (let part = 0; names.includes(partName(releaseName(id), part)); part++) {
          await objects().delete(partName(releaseName(id), part));
        }
      }
      return kept;
    },
  };
}

function unreadable(id: string): SlotsError {
  return new SlotsError('ARCHIVE_BAD', `what the store says of ${id} cannot be read`);
}

function releaseName(id: string): string {
  return `release.${id}`;
}

function manifestName(id: string): string {
  return `manifest.${id}`;
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return null;
  }
}

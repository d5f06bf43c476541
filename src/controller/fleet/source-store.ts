/** The sources of releases in the fleet's object store: `source.<release>` names the files, `file.<digest>` holds each of them once. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectStore } from '@nats-io/obj';
import { z } from 'zod';
import { SlotsError } from '../../errors.ts';
import { openSource, signSource } from '../../slots/archive/signature.ts';
import { readFleetKey } from '../../slots/fleet-key.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { getBlob } from './parts.ts';

const digest = z.string().regex(/^[0-9a-f]{64}$/);

export const sourceManifestSchema = z.object({
  release: z.string(),
  files: z.record(z.string(), digest),
});

export type SourceManifest = z.output<typeof sourceManifestSchema>;

/** A larger file does not travel: it waits for whoever brings it. In bytes. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

export interface SourceStore {
  /**
   * Puts a source there, and of its files those that the store need not have yet.
   *
   * @param base a source that may be there already
   */
  publish(source: SourceManifest, base: SourceManifest | null): Promise<void>;
  /** Puts a source there anew, without its files, unless the one that is there can be read and trusted. */
  renew(source: SourceManifest): Promise<void>;
  /**
   * @returns `null` when the store does not have it, or it cannot be read
   * @throws SlotsError `SIGNATURE_BAD`
   */
  fetch(release: string): Promise<SourceManifest | null>;
  /** @throws Error when the store does not have what this digest is of */
  file(hash: string): Promise<Buffer>;
  /**
   * Removes the sources of all other releases, and the files that none of these has.
   *
   * @param mayGoOn asked before each removal: whoever leads the fleet next may need a file that is still there
   */
  prune(kept: ReadonlySet<string>, mayGoOn: () => boolean): Promise<void>;
}

/** @param objects throws when the fleet is away */
export function createSourceStore(
  paths: SitePaths,
  group: string,
  objects: () => ObjectStore,
): SourceStore {
  let last: SourceManifest | null = null;

  /** A stranger's source would be taken over, built here, and signed as this machine's own. */
  function opened(release: string, bytes: Uint8Array | null): SourceManifest | null {
    if (bytes === null) return null;
    try {
      const sealed = Buffer.from(bytes).toString();
      const text = openSource(sealed, readFleetKey(paths, group), `the source of ${release}`);
      return sourceManifestSchema.parse(JSON.parse(text));
    } catch (error) {
      // A caller that asks what is edited must not take it for none: its edit would undo those that it has not seen.
      if (isUntrusted(error)) throw error;
      return null;
    }
  }

  async function fetch(release: string): Promise<SourceManifest | null> {
    if (last?.release === release) return last;
    last = opened(release, await getBlob(objects(), sourceName(release)));
    return last;
  }

  async function put(source: SourceManifest): Promise<void> {
    const sealed = signSource(JSON.stringify(source), readFleetKey(paths, group));
    await objects().putBlob({ name: sourceName(source.release) }, Buffer.from(sealed));
  }

  /** The store has the files of every source that it has. One that was wiped, or pruned since, has neither. */
  async function filesThere(base: SourceManifest | null): Promise<SourceManifest['files']> {
    if (base === null) return {};
    const found = await objects().info(sourceName(base.release));
    // Of one that was deleted the store still has this.
    return found === null || found.deleted ? {} : base.files;
  }

  /** @returns `null` if one of these sources cannot be read: then any file may be needed */
  async function filesOfAll(names: readonly string[]): Promise<Set<string> | null> {
    const files = new Set<string>();
    for (const name of names) {
      const bytes = await getBlob(objects(), name);
      const source = readable(name.slice('source.'.length), bytes);
      if (source === null) return null;
      for (const hash of Object.values(source.files)) files.add(fileName(hash));
    }
    return files;
  }

  function readable(release: string, bytes: Uint8Array | null): SourceManifest | null {
    try {
      return opened(release, bytes);
    } catch {
      return null;
    }
  }

  return {
    fetch,

    async publish(source, base) {
      const there = await filesThere(base);
      const news = Object.entries(source.files).filter(([path, hash]) => there[path] !== hash);
      for (const [path, hash] of news) {
        const bytes = await readFile(join(paths.root, path)).catch(() => null);
        // Edited again meanwhile, it comes with the next release.
        if (bytes === null || bytes.length > MAX_FILE_BYTES || sha256(bytes) !== hash) continue;
        await objects().putBlob({ name: fileName(hash) }, bytes);
      }
      await put(source);
    },

    async renew(source) {
      const { release } = source;
      // It may have been read while there was no key.
      last = null;
      const found = readable(release, await getBlob(objects(), sourceName(release)));
      if (found === null) await put(source);
    },

    async file(hash) {
      const bytes = await getBlob(objects(), fileName(hash));
      if (bytes === null || sha256(bytes) !== hash) throw new Error("the fleet's store lost it");
      return Buffer.from(bytes);
    },

    async prune(kept, mayGoOn) {
      const names = (await objects().list()).map(({ name }) => name);
      const sources = names.filter((name) => name.startsWith('source.'));
      const isKept = (name: string) => kept.has(name.slice('source.'.length));
      const needed = await filesOfAll(sources.filter(isKept));
      const files = needed ? names.filter((n) => n.startsWith('file.') && !needed.has(n)) : [];
      const old = sources.filter((name) => !isKept(name));
      // A source goes before its files, so that what it names is there as long as it is.
      for (const name of [...old, ...files]) {
        if (!mayGoOn()) return;
        await objects().delete(name);
      }
    },
  };
}

export function isUntrusted(error: unknown): boolean {
  return error instanceof SlotsError && error.code === 'SIGNATURE_BAD';
}

function sourceName(release: string): string {
  return `source.${release}`;
}

function fileName(hash: string): string {
  return `file.${hash}`;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

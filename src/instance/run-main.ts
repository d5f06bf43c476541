import { readFileSync } from 'node:fs';
import Module, { findPackageJSON, registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

/** Node calls this by itself for `node <file>`; PM2 uses it too. */
const loadCommonJs = (
  Module as unknown as { _load(file: string, parent: null, isMain: true): unknown }
)._load;

/**
 * Runs a file as `node <file>` does: people write `if (require.main === module) listen()`, and since Node 24
 * `if (import.meta.main)`.
 *
 * @param file its real path
 */
export async function runMain(file: string): Promise<void> {
  process.argv[1] = file;
  if (!isModule(file)) {
    try {
      loadCommonJs(file, null, true);
      return;
    } catch (error) {
      // ESM that waits at its top level, in a package that does not say what its files are. Nothing of it has run.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
    }
  }
  const { href } = pathToFileURL(file);
  const hooks = isMainAt(href);
  await import(href).finally(() => hooks.deregister());
}

/** Whether the file or its package says so. A file whose syntax alone says it is loaded as Node's `require` would. */
function isModule(file: string): boolean {
  if (/\.m[jt]s$/.test(file)) return true;
  if (/\.c[jt]s$/.test(file)) return false;
  const manifest = findPackageJSON(pathToFileURL(file));
  if (manifest === undefined) return false;
  return JSON.parse(readFileSync(manifest, 'utf8').replace(/^\uFEFF/, '')).type === 'module';
}

/** `import.meta.main` is false in what is imported, and cannot be set. */
function isMainAt(href: string) {
  return registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (url !== href || !loaded.source || loaded.format === 'commonjs') return loaded;
      const source = Buffer.from(loaded.source as Uint8Array).toString();
      return { ...loaded, source: source.replaceAll(/\bimport\.meta\.main\b/g, 'true') };
    },
  });
}

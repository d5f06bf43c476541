/** A folder in which every file has a hash in its name, by the framework that writes it. */
const HASHED_FOLDER = /\/(_astro|_next\/static|_app\/immutable|_nuxt)\//;

/** `name.3f2a9c1b.css`, and `name-Bx3k9ZaQ.js` as Vite puts into `assets`. A date has no letters. */
const HEX_HASH = /[.-](?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,64}\.\w+$/;
const VITE_ASSET = /\/assets\/[^/]*-(?=[\w-]*[\dA-Z_])[\w-]{8}\.\w+$/;

/** Whether browsers may keep a file for ever, because its name changes when its content does. */
export function isHashed(path: string): boolean {
  return HASHED_FOLDER.test(path) || HEX_HASH.test(path) || VITE_ASSET.test(path);
}

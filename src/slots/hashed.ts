/** A folder in which every file has a hash in its name, by the framework that writes it. */
const HASHED_FOLDER = /\/(?:_astro|_next\/static|_app\/immutable|_nuxt)\//;

/** The one file of such a folder that each build writes anew: Nuxt asks it which build is the current one. */
const CURRENT = /\/_nuxt\/builds\/latest\.json$/;

/** `name.3f2a9c1b.css`, and webpack's `name.3f2a9c1b.chunk.js` and `name.3f2a9c1b.js.map`. A date has no letters. */
const HEX_HASH = /[.-](?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,64}(?:\.[a-z]\w*){1,2}$/;

/** `3f2a9c1b5d6e7f809142.woff2`: webpack names a file so where it is told no name. */
const ONLY_HEX = /\/(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{20,64}\.\w+$/;

/** `chunk-5XGQW7AB.js`: esbuild's, and so Angular's. */
const ESBUILD = /[.-][A-Z2-7]{8}\.(?:m?js|css)(?:\.map)?$/;

/** `name-Bx3k9ZaQ.js` as Vite puts into `assets`; eight digits are a date. */
const VITE_ASSET = /\/assets\/[^/]*-(?=[\w-]*[\dA-Z_])(?!\d{8}\.)[\w-]{8}\.\w+(?:\.map)?$/;

/** Whether browsers may keep a file for ever, because its name changes when its content does. */
export function isHashed(path: string): boolean {
  if (HASHED_FOLDER.test(path)) return !CURRENT.test(path);
  return [HEX_HASH, ONLY_HEX, ESBUILD, VITE_ASSET].some((pattern) => pattern.test(path));
}

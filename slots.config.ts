import { defineConfig } from 'two-slots';

// The example site. It lives in a folder of its own, so paths and the build command say where;
// an Astro site with slots in its own package.json needs no config at all.
export default defineConfig({
  name: 'blog',
  watch: ['examples/blog/src', 'examples/blog/public'],
  build: ['astro', 'build', '--root', 'examples/blog', '--outDir', '{outDir}'],
  entry: 'server/entry.mjs',
});

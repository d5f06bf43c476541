import { astro } from './astro.ts';
import { eleventy } from './eleventy.ts';
import { next } from './next.ts';
import { nuxt } from './nuxt.ts';
import { plainNode } from './plain-node.ts';
import type { Detect } from './preset.ts';
import { reactRouter } from './react-router.ts';
import { staticFolder } from './static-folder.ts';
import { svelteKit } from './sveltekit.ts';

/** In the order in which they are tried: a framework says more than a file that is called server.js. */
export const PRESETS: readonly Detect[] = [
  astro,
  next,
  nuxt,
  svelteKit,
  reactRouter,
  eleventy,
  plainNode,
  staticFolder,
];

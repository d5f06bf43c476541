import { expect, test } from 'vitest';
import type { UserConfig } from '../../src/config/schema.ts';
import {
  bringUp,
  expectEditsLive,
  firstAsset,
  frameworkSite,
  installPackages,
} from '../support/framework-site.ts';
import { expectFromMemory, hashedFiles, PHOTO } from '../support/from-memory.ts';
import { lazyFiles } from '../support/tab.ts';
import { testTabs } from '../support/tab-tests.ts';

const app = (text: string) => `<script setup>
const count = ref(0);
</script>
<template><button @click="count++">${text} {{ count }}</button></template>
`;

/** What every Nuxt site has. */
const FRAME = {
  'package.json': JSON.stringify({
    private: true,
    type: 'module',
    dependencies: { nuxt: '4', vue: '3', 'vue-router': '5' },
  }),
  'nuxt.config.ts': `export default defineNuxtConfig({ compatibilityDate: '2026-01-01', telemetry: false, routeRules: { '/about': { prerender: true } } });`,
};

test('Nuxt', async () => {
  const site = await frameworkSite({
    files: {
      ...FRAME,
      'app/app.vue': app('first'),
      'server/api/hello.get.ts': `export default defineEventHandler(() => ({ hello: 'world' }));`,
      'public/robots.txt': 'a robot',
      'public/photo.png': PHOTO,
    },
    modules: installPackages,
  });
  await bringUp(site);
  const { body } = await site.get('/');
  expect(body).toContain('first');
  expect(await site.get('/robots.txt')).toMatchObject({ status: 200, body: 'a robot' });
  expect(await site.get(firstAsset(body))).toMatchObject({ status: 200 });
  expect((await site.get('/api/hello')).body).toContain('world');
  const hashed = await hashedFiles(site, 'public/_nuxt', '/_nuxt');
  await expectFromMemory(site, [...hashed, '/photo.png', '/about']);
  await expectEditsLive(
    site,
    [
      { file: 'app/app.vue', text: app('second'), sees: 'second' },
      { file: 'public/new.txt', text: 'a new file', path: '/new.txt', sees: 'a new file' },
    ],
    ['/', '/robots.txt', '/api/hello'],
    180_000,
  );
});

/** Loads its lazy files by a button. */
function tabSite(config: UserConfig = {}) {
  return frameworkSite({
    files: {
      ...FRAME,
      'app/app.vue': `<script setup>
import { token } from './lazy/token.js';
const more = async () => (await import('./lazy/lazy.js')).show();
</script>
<template><div><p>token of {{ token }}</p><button @click="more">more</button></div></template>
`,
      ...lazyFiles('app/lazy', 'first'),
    },
    config: { keep: 2, ...config },
    modules: installPackages,
  });
}

testTabs('a Nuxt page', tabSite, 'app/lazy');

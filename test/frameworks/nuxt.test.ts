import { expect, test } from 'vitest';
import {
  bringUp,
  expectEditsLive,
  firstAsset,
  frameworkSite,
  installPackages,
} from '../support/framework-site.ts';

const app = (text: string) => `<script setup>
const count = ref(0);
</script>
<template><button @click="count++">${text} {{ count }}</button></template>
`;

test('Nuxt', async () => {
  const site = await frameworkSite({
    files: {
      'package.json': JSON.stringify({
        private: true,
        type: 'module',
        dependencies: { nuxt: '4', vue: '3', 'vue-router': '5' },
      }),
      'nuxt.config.ts': `export default defineNuxtConfig({ compatibilityDate: '2026-01-01', telemetry: false });`,
      'app/app.vue': app('first'),
      'server/api/hello.get.ts': `export default defineEventHandler(() => ({ hello: 'world' }));`,
      'public/robots.txt': 'a robot',
    },
    modules: installPackages,
  });
  await bringUp(site);
  const { body } = await site.get('/');
  expect(body).toContain('first');
  expect(await site.get('/robots.txt')).toMatchObject({ status: 200, body: 'a robot' });
  expect(await site.get(firstAsset(body))).toMatchObject({ status: 200 });
  expect((await site.get('/api/hello')).body).toContain('world');
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

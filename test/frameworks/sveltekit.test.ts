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

const page = (text: string) => `<script>
let { data, form } = $props();
</script>
<p>${text} from {data.url} {form?.said}</p>
<form method="post"><input name="word"></form>
`;

/** What every SvelteKit site has. */
const FRAME = {
  'package.json': JSON.stringify({
    private: true,
    type: 'module',
    devDependencies: {
      '@sveltejs/adapter-node': '6',
      '@sveltejs/kit': '3',
      '@sveltejs/vite-plugin-svelte': '*',
      svelte: '5',
      vite: '8',
    },
  }),
  'vite.config.js': `import adapter from '@sveltejs/adapter-node';
import { sveltekit } from '@sveltejs/kit/vite';
export default { plugins: [sveltekit({ adapter: adapter() })] };`,
  'src/app.html':
    '<!doctype html><html><head>%sveltekit.head%</head><body>%sveltekit.body%</body></html>',
};

test('SvelteKit', async () => {
  const site = await frameworkSite({
    files: {
      ...FRAME,
      'src/routes/+page.svelte': page('first'),
      'src/routes/+page.server.js': `
export const load = ({ url }) => ({ url: url.origin });
export const actions = {
  default: async ({ request }) => ({ said: 'you said ' + (await request.formData()).get('word') }),
};`,
      'static/robots.txt': 'a robot',
      'static/photo.png': PHOTO,
      'src/routes/about/+page.js': 'export const prerender = true;',
      'src/routes/about/+page.svelte': `<p>${'about us '.repeat(500)}</p>`,
    },
    modules: installPackages,
  });
  await bringUp(site);
  const { body } = await site.get('/');
  expect(body).toContain(`first from ${site.origin}`);
  expect(await site.get('/robots.txt')).toMatchObject({ status: 200, body: 'a robot' });
  const script = /"(?:\.\/|\/)(_app\/immutable\/[^"]+\.js)"/.exec(body)?.[1];
  expect(await site.get(script ? `/${script}` : firstAsset(body))).toMatchObject({ status: 200 });

  const hashed = await hashedFiles(site, 'client/_app/immutable', '/_app/immutable');
  await expectFromMemory(site, [...hashed, '/photo.png', '/about']);

  // Forms are accepted from the site's own origin, as the visitor's browser names it.
  const post = await fetch(site.origin, {
    method: 'POST',
    headers: { origin: site.origin, accept: 'text/html' },
    body: new URLSearchParams({ word: 'hello' }),
  });
  expect(post.status).toBe(200);
  expect(await post.text()).toContain('you said hello');

  await expectEditsLive(
    site,
    [
      { file: 'src/routes/+page.svelte', text: page('second'), sees: 'second' },
      { file: 'static/new.txt', text: 'a new file', path: '/new.txt', sees: 'a new file' },
    ],
    ['/', '/robots.txt'],
    180_000,
  );
});

/** Loads its lazy files by a button. */
function tabSite(config: UserConfig = {}) {
  return frameworkSite({
    files: {
      ...FRAME,
      'src/routes/+page.svelte': `<script>
import { token } from '../lib/token.js';
const more = async () => (await import('../lib/lazy.js')).show();
</script>
<p>token of {token}</p><button onclick={more}>more</button>
`,
      ...lazyFiles('src/lib', 'first'),
    },
    config: { keep: 2, ...config },
    modules: installPackages,
  });
}

testTabs('a SvelteKit page', tabSite, 'src/lib');

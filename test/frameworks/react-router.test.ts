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

const home = (text: string) => `
export const loader = ({ request }: { request: Request }) => ({ url: request.url });
export default ({ loaderData }: { loaderData: { url: string } }) => <p>${text} at {loaderData.url}</p>;
`;

// Its packages are released together, and refuse each other's versions.
const ROUTER = '8.4.0';

/** What every site of React Router has. */
const FRAME = {
  'package.json': JSON.stringify({
    private: true,
    type: 'module',
    dependencies: {
      '@react-router/node': ROUTER,
      '@react-router/serve': ROUTER,
      'react-router': ROUTER,
      isbot: '5',
      react: '19',
      'react-dom': '19',
    },
    devDependencies: { '@react-router/dev': ROUTER, vite: '8' },
  }),
  'vite.config.ts': `import { reactRouter } from '@react-router/dev/vite';
export default { plugins: [reactRouter()] };`,
  'app/routes.ts': `import { index } from '@react-router/dev/routes';
export default [index('home.tsx')];`,
  'app/root.tsx': `import { Outlet, Scripts } from 'react-router';
export default () => <html><body><Outlet /><Scripts /></body></html>;`,
};

test('React Router in framework mode', async () => {
  const site = await frameworkSite({
    files: {
      ...FRAME,
      'app/home.tsx': home('first'),
      'app/about.tsx': `export default () => <p>{'about us '.repeat(500)}</p>;`,
      'app/routes.ts': `import { index, route } from '@react-router/dev/routes';
export default [index('home.tsx'), route('about', 'about.tsx')];`,
      'react-router.config.ts': `export default { prerender: ['/about'] };`,
      'public/robots.txt': 'a robot',
      'public/photo.png': PHOTO,
    },
    modules: installPackages,
  });
  await bringUp(site);
  const { body } = await site.get('/');
  expect(body).toContain('first');
  const behindTls = { host: 'blog.example', 'x-forwarded-proto': 'https' };
  expect((await site.get('/', undefined, behindTls)).body).toContain('https://blog.example/');
  expect(await site.get('/robots.txt')).toMatchObject({ status: 200, body: 'a robot' });
  const asset = /"(\/assets\/[^"]+\.js)"/.exec(body)?.[1] ?? firstAsset(body);
  expect(await site.get(asset)).toMatchObject({ status: 200 });
  const hashed = await hashedFiles(site, 'build/client/assets', '/assets');
  await expectFromMemory(site, [...hashed, '/photo.png', '/about/']);
  await expectEditsLive(
    site,
    [
      { file: 'app/home.tsx', text: home('second'), sees: 'second' },
      { file: 'public/new.txt', text: 'a new file', path: '/new.txt', sees: 'a new file' },
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
      'app/home.tsx': `import { token } from './lazy/token.js';
const more = async () => (await import('./lazy/lazy.js')).show();
export default () => <><p>{'token of ' + token}</p><button onClick={more}>more</button></>;`,
      ...lazyFiles('app/lazy', 'first'),
    },
    config: { keep: 2, ...config },
    modules: installPackages,
  });
}

testTabs('a React Router page', tabSite, 'app/lazy');

/**
 * `node build.mjs <output folder>`: a single-page app as Vite writes one, in well under 100 ms. Its routes are chunks that
 * load a style, an image and a font of their own; every file has all of the source in it, so that each edit changes every hash.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROUTES = ['about', 'contact', 'pricing'];
const outDir = process.argv[2];
const text = await readFile('src/content/page.txt', 'utf8');
const assets = join(outDir, 'assets');
await mkdir(assets, { recursive: true });

/** Writes a file with the hash of its content in its name. @returns its URL */
async function emit(name, extension, content) {
  const hash = createHash('sha256').update(content).digest('base64url').slice(0, 8);
  const file = `${name}-${hash}.${extension}`;
  await writeFile(join(assets, file), content);
  return `/assets/${file}`;
}

const routes = {};
for (const name of ROUTES) {
  const image = await emit(
    name,
    'svg',
    `<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><!-- ${text} --></svg>`,
  );
  const font = await emit(name, 'woff2', `no real font: ${name} ${text}`);
  const style = await emit(
    name,
    'css',
    `@font-face { font-family: ${name}; src: url(${font}); }
main { font-family: ${name}; background: url(${image}); --of: ${JSON.stringify(text)}; }`,
  );
  routes[name] = await emit(
    name,
    'js',
    `
export const text = ${JSON.stringify(`${name} of ${text}`)};
export async function load() {
  const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: '${style}' });
  const done = new Promise((resolve, reject) => Object.assign(link, { onload: resolve, onerror: reject }));
  document.head.append(link);
  await done;
  const image = Object.assign(new Image(), { src: '${image}' });
  await image.decode();
  if (!(await fetch('${font}')).ok) throw new Error('no font');
}`,
  );
}
const main = await emit(
  'index',
  'js',
  `
const routes = { ${ROUTES.map((name) => `${name}: () => import('${routes[name]}')`).join(', ')} };
const main = document.querySelector('main');
window.visit = async (name) => {
  const route = await routes[name]();
  await route.load();
  main.textContent = route.text;
};
main.textContent = ${JSON.stringify(`home of ${text}`)};`,
);
await writeFile(
  join(outDir, 'index.html'),
  `<!doctype html><title>app</title><main></main><script type="module" crossorigin src="${main}"></script>\n`,
);

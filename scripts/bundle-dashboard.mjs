/**
 * Makes dist/dashboard: one script and one style sheet with the libraries in them, so that the page works
 * without internet and its policy can refuse everything that does not come from the admin port.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

rmSync(at('dist/dashboard/'), { recursive: true, force: true });
await build({
  entryPoints: [at('src/dashboard/main.ts'), at('src/dashboard/style/main.css')],
  entryNames: '[name]',
  outdir: at('dist/dashboard/'),
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome111', 'firefox121', 'safari16.4'],
  logLevel: 'warning',
});
for (const file of ['index.html', 'icon.svg']) {
  cpSync(at(`src/dashboard/${file}`), at(`dist/dashboard/${file}`));
}
// Their licences ask to be kept with every copy.
const licences = ['preact', 'htm', 'uplot'].map(
  (name) => `${name}\n\n${readFileSync(at(`node_modules/${name}/LICENSE`), 'utf8').trim()}\n`,
);
writeFileSync(at('dist/dashboard/licences.txt'), licences.join('\n\n'));

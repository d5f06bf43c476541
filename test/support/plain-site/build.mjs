/** `node build.mjs <output folder>`: content and server side by side, in well under 100 ms. */
import { spawn } from 'node:child_process';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const outDir = process.argv[2];
const behaviour = JSON.parse(await readFile('src/content/behaviour.json', 'utf8'));

console.log('building the plain site');
if (behaviour.buildHangs) {
  // The grandchild holds the output's pipes, as a bundler's worker would.
  spawn('sleep', ['3600'], { stdio: 'inherit' });
  await new Promise(() => setInterval(() => {}, 1000));
}
if (behaviour.buildExit) {
  console.error(`Error: told to exit with ${behaviour.buildExit}`);
  process.exit(behaviour.buildExit);
}

await cp('src/content', outDir, { recursive: true });
await cp('server', outDir, { recursive: true });
const page = await readFile('src/content/page.txt', 'utf8');
await writeFile(join(outDir, 'chunk.mjs'), `export const page = ${JSON.stringify(page)};\n`);
if (behaviour.noEntry) await rm(join(outDir, 'server.mjs'));

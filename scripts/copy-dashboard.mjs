/** The dashboard is served as it is written: its files go beside the compiled controller. */
import { cpSync, rmSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const from = fileURLToPath(new URL('../src/dashboard/', import.meta.url));
const to = fileURLToPath(new URL('../dist/dashboard/', import.meta.url));

rmSync(to, { recursive: true, force: true });
cpSync(from, to, { recursive: true, filter: (path) => extname(path) !== '.json' });

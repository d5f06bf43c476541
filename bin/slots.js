#!/usr/bin/env node
import { createRequire } from 'node:module';
import { objectionToNode } from '../dist/cli/node-version.js';

const { engines } = createRequire(import.meta.url)('../package.json');
const objection = objectionToNode(process.versions.node, engines.node);
if (objection === null) await import('../dist/cli/main.js');
else {
  console.error(objection);
  process.exitCode = 1;
}

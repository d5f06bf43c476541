#!/usr/bin/env node
import { isNodeNewEnough, MIN_NODE_TEXT } from '../dist/cli/min-node.js';

// What is loaded after this is a syntax error to an older Node.
if (isNodeNewEnough(process.version)) await import('../dist/cli/main.js');
else {
  console.error(
    `slots needs Node ${MIN_NODE_TEXT} or later, and this is ${process.version} (${process.execPath})`,
  );
  process.exitCode = 1;
}

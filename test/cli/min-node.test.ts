import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { isNodeNewEnough, MIN_NODE_TEXT } from '../../src/cli/min-node.ts';

test.each(['v22.22.0', 'v22.23.1', 'v24.0.0', '26.1.0-nightly'])('takes Node %s', (version) => {
  expect(isNodeNewEnough(version)).toBe(true);
});

test.each(['v22.21.9', 'v20.20.2', '18.99.0', 'v9.0.0'])('finds Node %s too old', (version) => {
  expect(isNodeNewEnough(version)).toBe(false);
});

test('says what package.json says', () => {
  expect(packageJson.engines.node).toBe(`>=${MIN_NODE_TEXT}`);
});

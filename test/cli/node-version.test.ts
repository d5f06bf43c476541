import { expect, test } from 'vitest';
import { objectionToNode } from '../../src/cli/node-version.ts';

test.each(['22.22.0', '22.23.1', '24.0.0', '26.1.0-nightly'])('takes Node %s', (version) => {
  expect(objectionToNode(version, '>=22.22')).toBeNull();
});

test.each(['22.21.9', '20.20.2', '18.99.0', '9.0.0'])(
  'says what Node %s is too old for',
  (version) => {
    expect(objectionToNode(version, '>=22.22')).toBe(
      `slots needs Node 22.22 or later, and this is Node ${version} (${process.execPath})`,
    );
  },
);

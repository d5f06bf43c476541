import { expect, test } from 'vitest';
import { readEnvFiles } from '../../src/slots/env-files.ts';
import { tempSite } from '../support/temp-site.ts';

test('the first file that names a variable wins, and a file that is not there is empty', async () => {
  const { root } = await tempSite({ 'a.env': '\uFEFFA=1\n', '.env': 'A=2\nB="two words" # why\n' });
  expect(readEnvFiles(root, ['gone.env', 'a.env', '.env'])).toEqual({ A: '1', B: 'two words' });
});

import { rename } from 'node:fs/promises';
import { messageOf, SlotsError } from '../errors.ts';

/**
 * Renames what cannot be used and stands where something else must be: nothing of a person's is ever deleted.
 *
 * @returns its new name
 * @throws SlotsError `STATE_UNWRITABLE`
 */
export async function setAside(path: string, now: Date): Promise<string> {
  const aside = `${path}.bad-${now.toISOString().replaceAll(/[:.]/g, '-')}`;
  try {
    await rename(path, aside);
  } catch (cause) {
    throw new SlotsError('STATE_UNWRITABLE', `cannot set ${path} aside: ${messageOf(cause)}`, {
      hint: 'its folder must be writable for the user that slots runs as',
      cause,
    });
  }
  return aside;
}

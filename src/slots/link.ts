import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { SlotsError } from '../errors.ts';
import { type SitePaths, slotLink } from './paths.ts';
import { RELEASE_ID } from './release-id.ts';
import type { Slot } from './slot.ts';

/**
 * Points a slot at a release, or at nothing. The link is made aside and renamed over the old one, so that
 * whoever opens the slot's path at any instant finds either release whole.
 *
 * @throws SlotsError `SLOT_NOT_A_LINK` when something that is not a symlink stands in the slot's place.
 */
export async function pointSlot(paths: SitePaths, slot: Slot, id: string | null): Promise<void> {
  const link = slotLink(paths, slot);
  const found = await lstat(link).catch(() => null);
  if (found && !found.isSymbolicLink()) {
    throw new SlotsError('SLOT_NOT_A_LINK', `${link} is not a symlink`, {
      hint: 'move it away: slots keeps a symlink to a release there',
    });
  }
  if (id === null) return rm(link, { force: true });
  await mkdir(paths.slots, { recursive: true });
  const aside = join(paths.slots, `.${slot}-${randomUUID()}`);
  await symlink(join('releases', id), aside);
  await rename(aside, link);
}

/** The id of the release that a slot points to; `null` when it has no link or one that leads elsewhere. */
export async function slotRelease(paths: SitePaths, slot: Slot): Promise<string | null> {
  const target = await readlink(slotLink(paths, slot)).catch(() => null);
  if (target === null) return null;
  const id = basename(target);
  return RELEASE_ID.test(id) && target === join('releases', id) ? id : null;
}

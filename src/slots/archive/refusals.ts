import { messageOf, SlotsError } from '../../errors.ts';
import type { Manifest } from './manifest.ts';

export function tooLarge(message: string): SlotsError {
  return new SlotsError('ARCHIVE_TOO_LARGE', message, {
    hint: 'make room, or keep large files in "shared" folders rather than in the build',
  });
}

export function bad({ id }: Manifest, what: string, cause?: unknown): SlotsError {
  return new SlotsError('ARCHIVE_BAD', `the archive of release ${id} ${what}`, {
    hint: 'nothing of it was kept; if it happens again, find out who else writes to the fleet',
    cause,
  });
}

/** What the disk and the libraries say. */
export function broken(manifest: Manifest, error: unknown): SlotsError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return tooLarge(`the disk is too full for release ${manifest.id}`);
  }
  return bad(manifest, `cannot be unpacked: ${messageOf(error)}`, error);
}

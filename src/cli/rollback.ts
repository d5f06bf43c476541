import type { Status } from '../controller/admin/status.ts';
import { SlotsError } from '../errors.ts';
import type { SitePaths } from '../slots/paths.ts';
import { RELEASE_ID } from '../slots/release-id.ts';
import { callController } from './client.ts';

/** `slots rollback [release]`: back to the standby, or to a kept release. */
export async function rollback(paths: SitePaths, release: string | undefined): Promise<void> {
  if (release !== undefined && !RELEASE_ID.test(release)) {
    throw new SlotsError('USAGE', `"${release}" is not a release id`, {
      hint: 'it looks like r20260131T120000-1a2b3c; `slots releases` lists those kept',
    });
  }
  await callController(paths, 'POST', '/api/rollback', { release: release ?? null });
  const { active, slots } = await callController<Status>(paths, 'GET', '/api/status');
  console.log(`${slots[active].release} is live again, from ${active}`);
  console.log(
    'edits are paused, or else the next one would undo this: `slots resume` promotes them',
  );
}

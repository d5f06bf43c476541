import type { Status } from '../controller/admin/status.ts';
import { SlotsError } from '../errors.ts';
import type { SitePaths } from '../slots/paths.ts';
import { RELEASE_ID } from '../slots/release-id.ts';
import { callController, type LocalOption, withLocal } from './client.ts';

/** `slots rollback [release]`: back to the standby, or to a kept release. */
export async function rollback(
  paths: SitePaths,
  release: string | undefined,
  options: LocalOption = {},
): Promise<void> {
  if (release !== undefined && !RELEASE_ID.test(release)) {
    throw new SlotsError('USAGE', `"${release}" is not a release id`, {
      hint: 'it looks like r20260131T120000-1a2b3c; `slots releases` lists those kept',
    });
  }
  const call = withLocal('/api/rollback', options);
  await callController(paths, 'POST', call, { release: release ?? null });
  const { active, slots } = await callController<Status>(paths, 'GET', '/api/status');
  console.log(`${slots[active].release} is live again, from ${active}`);
  console.log(
    'edits are paused, or else the next one would undo this: `slots resume` promotes them',
  );
}

import type { SitePaths } from '../slots/paths.ts';
import { callController, type LocalOption, withLocal } from './client.ts';

/** `slots pause`: edits wait. */
export async function pause(paths: SitePaths, options: LocalOption = {}): Promise<void> {
  await callController(paths, 'POST', withLocal('/api/pause', options));
  console.log('edits are paused; `slots resume` promotes what was edited meanwhile');
}

/** `slots resume`: edits are promoted again, those made meanwhile too. */
export async function resume(paths: SitePaths, options: LocalOption = {}): Promise<void> {
  await callController(paths, 'POST', withLocal('/api/resume', options));
  console.log('edits are promoted again');
}

import type { SitePaths } from '../slots/paths.ts';
import { callController } from './client.ts';

/** `slots pause`: edits wait. */
export async function pause(paths: SitePaths): Promise<void> {
  await callController(paths, 'POST', '/api/pause');
  console.log('edits are paused; `slots resume` promotes what was edited meanwhile');
}

/** `slots resume`: edits are promoted again, those made meanwhile too. */
export async function resume(paths: SitePaths): Promise<void> {
  await callController(paths, 'POST', '/api/resume');
  console.log('edits are promoted again');
}

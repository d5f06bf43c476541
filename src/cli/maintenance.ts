import { isTrustable, TRUSTABLE } from '../config/trusted-proxies.ts';
import { SlotsError } from '../errors.ts';
import type { SitePaths } from '../slots/paths.ts';
import { callController, type LocalOption, withLocal } from './client.ts';

export interface MaintenanceOptions extends LocalOption {
  message?: string;
  allow?: string[];
}

/** `slots maintenance on|off`: every visitor gets a 503 page, or the site again. */
export async function maintenance(
  paths: SitePaths,
  word: string,
  { message, allow = [], ...local }: MaintenanceOptions,
): Promise<void> {
  const on = word === 'on';
  refuseWrong(on, message, allow);
  const call = withLocal('/api/maintenance', local);
  await callController(paths, 'POST', call, { on, message: message ?? null, allow });
  if (!on) {
    console.log('visitors see the site again');
    return;
  }
  const but = allow.length > 0 ? `; from ${allow.join(', ')} the site is seen as before` : '';
  console.log(`visitors get a 503 page${but}`);
  console.log('edits are promoted all the same: `slots maintenance off` shows the site again');
}

function refuseWrong(on: boolean, message: string | undefined, allow: readonly string[]): void {
  if (!on && (message !== undefined || allow.length > 0)) {
    throw new SlotsError('USAGE', '--message and --allow go with `slots maintenance on`');
  }
  if (message?.trim() === '') {
    throw new SlotsError('USAGE', '--message is empty', {
      hint: 'without it visitors read that the site is being worked on',
    });
  }
  const wrong = allow.find((entry) => !isTrustable(entry));
  if (wrong === undefined) return;
  throw new SlotsError('USAGE', `--allow: "${wrong}" should be ${TRUSTABLE}`, {
    hint: 'for instance `slots maintenance on --allow 203.0.113.7 10.0.0.0/8`',
  });
}

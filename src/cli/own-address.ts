import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Preset, withoutComments } from '../config/presets/preset.ts';

/** More files than this are not looked at: it is a hint. */
const MAX_FILES = 5000;

const CODE = /\.[cm]?[jt]sx?$/;

const NOT_LOOKED_INTO =
  /^(\..*|node_modules|slots|dist|build|out|public|coverage|tests?|__tests__)$/;

/**
 * The first place where a site's code asks its framework for the visitor's host and gets the slot's, for instance
 * `app/feed/route.ts`; `null` where there is none.
 */
export function ownAddressUse(
  root: string,
  { ownAddress, watch }: Pick<Preset, 'ownAddress' | 'watch'>,
): string | null {
  if (!ownAddress) return null;
  const queue = watch.filter((path) => !NOT_LOOKED_INTO.test(path));
  for (let looked = 0; queue.length > 0 && looked < MAX_FILES; looked++) {
    const path = queue.shift() as string;
    const below = attempt(() => readdirSync(join(root, path))) ?? [];
    queue.push(
      ...below.filter((name) => !NOT_LOOKED_INTO.test(name)).map((name) => `${path}/${name}`),
    );
    if (!CODE.test(path)) continue;
    const code = withoutComments(attempt(() => readFileSync(join(root, path), 'utf8')) ?? '');
    if (ownAddress.code.test(code)) return path;
  }
  return null;
}

/** A file may go at any moment, and a folder is none. */
function attempt<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

export function saysOwnAddress(framework: string, file: string): string {
  return `${file} takes the visitor's host from the request's URL, where ${framework} names localhost and the slot's port`;
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PRESETS } from './presets/index.ts';
import {
  type PackageJson,
  type Preset,
  type SiteFacts,
  withoutComments,
} from './presets/preset.ts';

/** What can be told of a site without looking at its files. */
const NO_FILES: Pick<SiteFacts, 'has' | 'code'> = { has: () => false, code: () => null };

/** The first preset that fits the site; `null` when none does. */
export function detectFramework(packageJson: PackageJson, files = NO_FILES): Preset | null {
  const site: SiteFacts = { packageJson, ...files };
  for (const detect of PRESETS) {
    const preset = detect(site);
    if (preset) return preset;
  }
  return null;
}

/** The files of the site in `root`, for {@link detectFramework}. */
export function filesOf(root: string): Pick<SiteFacts, 'has' | 'code'> {
  return {
    has: (path) => existsSync(join(root, path)),
    code(...paths) {
      const found = paths.find((path) => existsSync(join(root, path)));
      return found ? withoutComments(readFileSync(join(root, found), 'utf8')) : null;
    },
  };
}

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { packageHome } from './package-manager.ts';
import { PRESETS } from './presets/index.ts';
import {
  type PackageJson,
  type Preset,
  type SiteFacts,
  withoutComments,
} from './presets/preset.ts';

type FileFacts = Omit<SiteFacts, 'packageJson'>;

/** Facts about a site that need no look at its files. */
const NO_FILES: FileFacts = {
  has: () => false,
  isFile: () => false,
  code: () => null,
  entries: () => [],
  packageManager: 'npm',
};

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
export function filesOf(root: string, packageJson: PackageJson = {}): FileFacts {
  return {
    has: (path) => existsSync(join(root, path)),
    isFile: (path) => statSync(join(root, path), { throwIfNoEntry: false })?.isFile() === true,
    code(...paths) {
      const found = paths.find((path) => existsSync(join(root, path)));
      return found ? withoutComments(readFileSync(join(root, found), 'utf8')) : null;
    },
    entries: () => keptEntries(root),
    packageManager: packageHome(root, packageJson.packageManager).manager,
  };
}

function keptEntries(root: string): string[] {
  const names = readdirSync(root).filter((name) => name !== '.git');
  const ignored = new Set(ignoredByGit(root, names));
  return names.filter((name) => !ignored.has(name)).sort();
}

/** Nothing where there is no repository, or no git. */
function ignoredByGit(root: string, names: string[]): string[] {
  try {
    const input = names.join('\0');
    const stdio: ['pipe', 'pipe', 'ignore'] = ['pipe', 'pipe', 'ignore'];
    const args = ['check-ignore', '--stdin', '-z'];
    return execFileSync('git', args, { cwd: root, input, stdio, encoding: 'utf8' }).split('\0');
  } catch {
    return [];
  }
}

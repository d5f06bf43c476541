import type { PackageManager } from '../package-manager.ts';
import type { PresetClient } from './client-folder.ts';

/** Files that a release takes from the folder that was built in, for builds that do not write to `{outDir}`. */
export interface Copy {
  /** A file or folder of the site. `.` is the site itself, without node_modules, slots and .git. */
  from: string;
  /** Where it goes, relative to the output folder. */
  to: string;
  /** Whether the build may do without it. */
  optional?: boolean | undefined;
  /** Names directly below `from` that stay behind. */
  except?: string[] | undefined;
}

/** How sites of one framework are built and started. Each value gives way to the config's own. */
export interface Preset {
  /** As people call it. */
  name: string;
  /** `false`: there is nothing to run, and what is copied is the release. */
  build: string[] | false;
  /** Relative to the build output; see slots/entry.ts for what is more than a file. */
  entry: string;
  watch: string[];
  /** Where the files lie that visitors get as they are; those that are there count. Of a static site it is the entry. */
  client?: PresetClient[];
  /** Of a single-page app of static files: the page for paths without a file of their own. */
  fallback?: string | undefined;
  copy?: Copy[];
  /** Variables that the site's processes need besides `HOST` and `PORT`. */
  env?: Record<string, string>;
  /** Its server changes into the release, so that what it writes by a relative path goes with that. */
  worksInRelease?: true;
  /** Flags for Node itself, from the start script. */
  nodeArgs?: string[];
  /** Arguments of the entry; `$PORT` and `$HOST` stand for the slot's. */
  args?: string[];
  /** Files with variables that the framework's own production start reads; the first that names one wins. */
  envFiles?: string[];
  /** Code of a site that gets the slot's own host where the visitor's is meant, and what to write instead. */
  ownAddress?: { code: RegExp; instead: string };
  /** Changes that the site needs before this works, as far as one can see from outside. */
  todo?: string;
  /** Changes that some of the site needs, and what is good to know. */
  advice?: string;
}

export interface PackageJson {
  name?: unknown;
  type?: unknown;
  main?: unknown;
  packageManager?: unknown;
  workspaces?: unknown;
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/** The facts that a preset judges a site by. */
export interface SiteFacts {
  packageJson: PackageJson;
  /** Whether there is a file or folder at this path below the site's root. */
  has(path: string): boolean;
  /** The text of the first of these files that exists, without its comments; `null` when none does. */
  code(...paths: string[]): string | null;
  /** Whether there is a file, and no folder, at this path. */
  isFile(path: string): boolean;
  /** Names in the site's root that git does not ignore. */
  entries(): string[];
  packageManager: PackageManager;
}

/** The preset of a site, or `null` when it is not of this kind. */
export type Detect = (site: SiteFacts) => Preset | null;

export function dependsOn({ packageJson }: SiteFacts, name: string): boolean {
  return name in { ...packageJson.dependencies, ...packageJson.devDependencies };
}

/** Every name that a framework's config file may have. */
export function configNames(base: string): string[] {
  return ['js', 'mjs', 'cjs', 'ts', 'mts', 'cts'].map((extension) => `${base}.${extension}`);
}

/** Those of a framework's config files that there are. */
export function configFiles(site: SiteFacts, ...bases: string[]): string[] {
  return bases.flatMap(configNames).filter((name) => site.has(name));
}

/** Good enough to look for a word in: a comment that holds a string with `//` in it is cut short. */
export function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|[\s;,{}()[\]])\/\/[^\n]*/g, '');
}

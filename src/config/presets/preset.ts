/** What a release takes from the folder that was built in, for builds that do not write to `{outDir}`. */
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
  /** Of a single-page app of static files: the page for paths without a file of their own. */
  fallback?: string | undefined;
  copy?: Copy[];
  /** What the site's processes need besides `HOST` and `PORT`. */
  env?: Record<string, string>;
  /** What has to be changed in the site before this works, as far as one can see from outside. */
  todo?: string;
}

export interface PackageJson {
  name?: unknown;
  type?: unknown;
  main?: unknown;
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/** What a preset judges a site by. */
export interface SiteFacts {
  packageJson: PackageJson;
  /** Whether there is a file or folder at this path below the site's root. */
  has(path: string): boolean;
  /** The text of the first of these files that exists, without its comments; `null` when none does. */
  code(...paths: string[]): string | null;
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

/** Good enough to look for a word in: a comment that holds a string with `//` in it is cut short. */
export function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|[\s;,{}()[\]])\/\/[^\n]*/g, '');
}

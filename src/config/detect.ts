interface PackageJson {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/** How sites of one framework are built and started. */
export interface Framework {
  name: string;
  build: string[];
  /** Relative to the build output. */
  entry: string;
}

const FRAMEWORKS: { dependency: string; framework: Framework }[] = [
  {
    dependency: 'astro',
    framework: {
      name: 'Astro',
      build: ['astro', 'build', '--outDir', '{outDir}'],
      entry: 'server/entry.mjs',
    },
  },
];

/** Judges by the site's dependencies; `null` when none of the frameworks is among them. */
export function detectFramework(site: PackageJson): Framework | null {
  const dependencies = { ...site.dependencies, ...site.devDependencies };
  const found = FRAMEWORKS.find(({ dependency }) => dependency in dependencies);
  return found?.framework ?? null;
}

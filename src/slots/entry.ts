/** The program that runs a release. */
export interface Entry {
  /**
   * `module`: a file that starts a server. `static`: a folder of files, which slots serves.
   * `react-router`: the server build of React Router, which its own `react-router-serve` runs.
   */
  kind: 'module' | 'static' | 'react-router';
  /** Relative to the build output; for a static site possibly empty, which is all of it. */
  path: string;
}

/** Reads `entry` of the config: `static:<folder>`, `react-router:<file>` or a file. */
export function parseEntry(entry: string): Entry {
  const found = /^(static|react-router):(.*)$/.exec(entry);
  if (!found) return { kind: 'module', path: entry };
  return { kind: found[1] as Entry['kind'], path: found[2] ?? '' };
}

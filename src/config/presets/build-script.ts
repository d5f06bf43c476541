import { scriptCommand } from '../package-manager.ts';
import type { SiteFacts } from './preset.ts';

/** How a site is built: by its own `build` script where that does more than the framework's command. */
export interface OwnBuild {
  build: string[];
  /** Whether the script writes where the framework always does, and not to `{outDir}`. */
  writesInSite: boolean;
}

/**
 * People add to `build` what their site needs: a feed, a search index, generated types, a type check. Nothing of it
 * may be left out.
 *
 * @param plain the framework's own command, for instance `['astro', 'build']`
 * @param outDir the flags that give it an output folder; none where it knows no such thing
 */
export function buildCommand(site: SiteFacts, plain: string[], outDir: string[] = []): OwnBuild {
  const { build: script, prebuild, postbuild } = site.packageJson.scripts ?? {};
  const writesInSite = outDir.length === 0;
  const words = script?.trim().replaceAll(/\s+/g, ' ').replace(/^npx /, '');
  const isPlain = words === undefined || words === plain.join(' ');
  if (isPlain && prebuild === undefined && postbuild === undefined) {
    return { build: [...plain, ...outDir], writesInSite };
  }
  // Flags go to the last command of a script. What runs after it looks for the output where it always is.
  const endsInIt = postbuild === undefined && words?.endsWith(plain.join(' ')) && !writesInSite;
  return endsInIt
    ? { build: scriptCommand(site.packageManager, 'build', outDir), writesInSite: false }
    : { build: scriptCommand(site.packageManager, 'build'), writesInSite: true };
}

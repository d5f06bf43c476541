import { buildCommand } from './build-script.ts';
import { configNames, dependsOn, type Preset, type SiteFacts } from './preset.ts';
import { sources } from './sources.ts';

/** Files only: Eleventy has no server for production. Its input is the whole folder unless the config says otherwise. */
export function eleventy(site: SiteFacts): Preset | null {
  if (!dependsOn(site, '@11ty/eleventy')) return null;
  const { build, writesInSite } = buildCommand(site, ['eleventy'], ['--output={outDir}']);
  const output = outputOf(site);
  const configs = CONFIGS.filter((name) => site.has(name));
  const found = sources(site, [output.split('/')[0] as string]);
  return {
    name: 'Eleventy',
    build,
    ...(writesInSite && { copy: [{ from: output, to: '.' }] }),
    entry: 'static:',
    watch: [...new Set([...(found.length > 0 ? found : ['src', 'content']), ...configs])],
  };
}

const CONFIGS = ['.eleventy.js', ...configNames('eleventy.config')];

/** Where the site's own build writes: by its script, or by its config. */
function outputOf(site: SiteFacts): string {
  const script = site.packageJson.scripts?.build ?? '';
  const config = site.code(...CONFIGS);
  const [, folder = '_site'] =
    /--output[= ]([\w./-]+)/.exec(script) ??
    /\boutput\s*:\s*['"]([^'"]+)['"]/.exec(config ?? '') ??
    /\bsetOutputDirectory\(\s*['"]([^'"]+)['"]/.exec(config ?? '') ??
    [];
  return folder.replace(/^\.\//, '').replace(/\/$/, '');
}

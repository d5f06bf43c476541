import type { SiteFacts } from './preset.ts';

/** What a site is made of where its framework has no fixed place for content: all that git would keep, less the obvious. */
export function sources(site: SiteFacts, but: readonly string[] = []): string[] {
  return site.entries().filter((name) => !NO_SOURCE.test(name) && !but.includes(name));
}

const NO_SOURCE =
  /^(\..*|node_modules|slots|out|build|dist|coverage|tests?|__tests__|e2e|cypress|playwright.*|README.*|LICEN[CS]E.*|CHANGELOG.*|CONTRIBUTING.*|(AGENTS|CLAUDE|GEMINI)\.md|Dockerfile.*|docker-compose.*|(npm-shrinkwrap|package-lock)\.json|pnpm-lock\.yaml|pnpm-workspace\.yaml|yarn\.lock|bun\.lockb?|slots\.config\.\w+|ecosystem\.config\.\w+|next-env\.d\.ts|.*\.tsbuildinfo|(eslint|prettier|jest|vitest|biome)\..*|.*\.log)$/i;

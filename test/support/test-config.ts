import { completeFleet } from '../../src/config/fleet-schema.ts';
import { type Config, configSchema, type UserConfig } from '../../src/config/schema.ts';

/** A complete config: the defaults, and a name, a build and an entry that a test may replace. */
export function testConfig(user: UserConfig = {}): Config {
  const parsed = configSchema.parse(user);
  return {
    ...parsed,
    client: parsed.client ?? [],
    fleet: completeFleet(parsed.fleet, parsed.name ?? 'site'),
    nodeArgs: [],
    args: [],
    envFiles: [],
    name: parsed.name ?? 'site',
    build: parsed.build ?? 'echo built > {outDir}/server.mjs',
    entry: parsed.entry ?? 'server.mjs',
  };
}

import type { UserConfig } from './config/schema.ts';

export type { UserConfig };

/** Gives `slots.config.ts` completion and type checks; returns its argument. */
export function defineConfig(config: UserConfig): UserConfig {
  return config;
}

/** `proxy.tls.acme` of the config, at work; nothing of it is loaded without that. */
import { publicSide } from '../../config/public-side.ts';
import type { Config } from '../../config/schema.ts';
import type { SitePaths } from '../../slots/paths.ts';
import type { Logger } from '../log.ts';
import { createKeeper, type Keeper } from './keeper.ts';
import type { CaModule } from './parts.ts';
import type { Challenges } from './proving.ts';
import { openAcmeStore } from './store.ts';

export async function openKeeper(
  config: Config,
  paths: SitePaths,
  challenges: Challenges,
  log: Logger,
): Promise<Keeper | null> {
  const { acme } = config.proxy.tls ?? {};
  if (!acme) return null;
  const store = await openAcmeStore(paths, log);
  return createKeeper({ acme, httpPort: publicSide(config).http, store, challenges, log, loadCa });
}

/** Loaded for the first order: acme-client and what it needs take 30 MB. */
async function loadCa(): Promise<CaModule> {
  const [{ openCa, createKey }, { renewalId }] = await Promise.all([
    import('./ca.ts'),
    import('./renewal-id.ts'),
  ]);
  return { openCa, createKey, renewalId };
}

/** From the sites that a worker serves to those that are registered. Pure. */
import type { RegisteredSite, Registration } from '../config/registered-site.ts';

export interface Changes {
  add: RegisteredSite[];
  /** Names. */
  remove: string[];
  /** The same site under other hosts: what is open stays open. */
  rehost: RegisteredSite[];
}

/**
 * A site is taken out when its file or its folder is gone, and never because the file cannot be read. One that was started
 * with another config is another one.
 */
export function changes(
  served: readonly RegisteredSite[],
  found: readonly Registration[],
): Changes {
  const out: Changes = { add: [], remove: [], rehost: [] };
  const byName = new Map(found.map((registration) => [registration.name, registration]));
  for (const { name } of served) {
    const registration = byName.get(name);
    if (!registration || (registration.site === null && registration.isGone)) out.remove.push(name);
  }
  for (const { name, site } of found) {
    if (site === null) continue;
    const before = served.find((each) => each.name === name);
    if (!before) out.add.push(site);
    else if (before.root !== site.root || before.since !== site.since) {
      out.remove.push(name);
      out.add.push(site);
    } else if (before.hosts.join() !== site.hosts.join()) out.rehost.push(site);
  }
  return out;
}

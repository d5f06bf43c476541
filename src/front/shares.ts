/**
 * How many connections each site may have open on one worker of the front. Half of all places are shares: as many for each
 * site, and nobody else's even while they are empty. The other half goes to whoever comes first. So a flood on one site's
 * host takes the common half, and no place of another site's share. Pure.
 */

/** The part of all places that is divided into shares. */
const SHARED_OUT = 0.5;

export interface Places {
  /** Of the whole worker. */
  total: number;
  sites: number;
}

/** The places that only this site may take; at least one. */
export function shareOf({ total, sites }: Places): number {
  return Math.max(1, Math.floor((total * SHARED_OUT) / Math.max(1, sites)));
}

/**
 * Whether a site that has `own` connections open may have one more.
 *
 * @param own limit of the site's config (`proxy.limits.connections`)
 * @param open how many each site has open, this one included; asked only where the site has taken its own share
 */
export function mayOpen(
  own: { open: number; limit: number },
  open: () => Iterable<number>,
  places: Places,
): boolean {
  if (own.open >= own.limit) return false;
  const share = shareOf(places);
  if (own.open < share) return true;
  const common = places.total - share * places.sites;
  let taken = 0;
  for (const count of open()) taken += Math.max(0, count - share);
  return taken < common;
}

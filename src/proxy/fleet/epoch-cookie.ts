/** The cookie that says which epoch of the fleet a visitor has seen (`fleet.monotonic`): pure. */

export const EPOCH_COOKIE = 'slots-epoch';

/** Says to a machine that another one has passed the request on, and which epoch the visitor has seen: once is enough. */
export const PASSED_FIELD = 'Slots-Passed';

/** More digits are nobody's epoch: at one flip a second, nine are thirty years. */
const EPOCH = /^\d{1,9}$/;

/** What a request says of epochs. The site gets none of it, and the release cache does not either. */
export interface SeenEpoch {
  /** The highest that the visitor has seen; 0 when none. */
  seen: number;
  /** Whether another machine has passed it on. */
  passed: boolean;
}

/** Takes it out of the request's fields, name and value in turn, which are changed. */
export function takeSeenEpoch(fields: string[]): SeenEpoch {
  let seen = 0;
  let passed = false;
  for (let i = fields.length - 2; i >= 0; i -= 2) {
    const name = (fields[i] as string).toLowerCase();
    const value = fields[i + 1] as string;
    if (name === 'slots-passed') {
      passed = true;
      seen = Math.max(seen, epochOf(value));
      fields.splice(i, 2);
    } else if (name === 'cookie' && value.includes(EPOCH_COOKIE)) {
      const pairs = value.split(';').map((pair) => pair.trim());
      const rest = pairs.filter((pair) => !pair.startsWith(`${EPOCH_COOKIE}=`));
      for (const pair of pairs) {
        if (!rest.includes(pair))
          seen = Math.max(seen, epochOf(pair.slice(EPOCH_COOKIE.length + 1)));
      }
      if (rest.length === 0) fields.splice(i, 2);
      else fields[i + 1] = rest.join('; ');
    }
  }
  return { seen, passed };
}

function epochOf(text: string): number {
  return EPOCH.test(text) ? Number(text) : 0;
}

/**
 * A `Set-Cookie` field's value. It names no person and proves nothing, so it is not signed: who changes it changes what only
 * they see. Of the whole site, since a link leads anywhere; `Lax`, since one from another site begins a visit that
 * goes on; a script has no use for it. It lasts as long as the browser is open: a machine is not behind for longer.
 */
export function epochCookie(epoch: number, encrypted: boolean): string {
  return `${EPOCH_COOKIE}=${epoch}; Path=/; HttpOnly; SameSite=Lax${encrypted ? '; Secure' : ''}`;
}

/**
 * Whether caches on the way may give an answer to others for a time: with a cookie many of them would not keep it.
 *
 * @param fields of the answer, name and value in turn
 */
export function isForMany(fields: readonly string[]): boolean {
  for (let i = 0; i < fields.length; i += 2) {
    if ((fields[i] as string).toLowerCase() !== 'cache-control') continue;
    const value = (fields[i + 1] as string).toLowerCase();
    if (/\bimmutable\b|\bs-maxage=0*[1-9]/.test(value)) return true;
    if (/\bpublic\b/.test(value) && /\bmax-age=0*[1-9]/.test(value)) return true;
  }
  return false;
}

/** The `Cache-Status` field (RFC 9211). Pure. */

export type CacheStatus =
  | { kind: 'hit'; ttlS: number; isStale?: boolean; detail?: string }
  | { kind: 'fwd'; why: 'uri-miss' | 'vary-miss' | 'stale' | 'request' | 'method' | 'bypass' }
  | {
      kind: 'fwd';
      why: 'uri-miss' | 'vary-miss' | 'stale' | 'request';
      stored?: boolean;
      collapsed?: boolean;
      fwdStatus?: number;
    };

export const CACHE_STATUS_FIELD = 'Cache-Status';

/** The field's value; one string for each of the few that are frequent. */
export function cacheStatus(status: CacheStatus): string {
  if (status.kind === 'hit') {
    const ttl = Number.isFinite(status.ttlS) ? `; ttl=${Math.trunc(status.ttlS)}` : '';
    return `slots; hit${ttl}${status.detail === undefined ? '' : `; detail=${status.detail}`}`;
  }
  let text = `slots; fwd=${status.why}`;
  if ('fwdStatus' in status && status.fwdStatus !== undefined)
    text += `; fwd-status=${status.fwdStatus}`;
  if ('stored' in status && status.stored) text += '; stored';
  if ('collapsed' in status && status.collapsed) text += '; collapsed';
  return text;
}

/** The most frequent one. */
export const MISS_STATUS = cacheStatus({ kind: 'fwd', why: 'uri-miss' });

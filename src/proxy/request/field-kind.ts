import {
  CACHE_CONTROL_HEADER,
  CACHE_TAG_HEADER,
  PROBE_HEADER,
  RELEASE_HEADER,
} from '../../slots/headers.ts';
import { rememberSome } from '../remember.ts';

/** Where a field may go, by its name. */
export type FieldKind =
  /** Concerns one connection only and is never forwarded (RFC 9110 §7.6.1). */
  | 'hop-by-hop'
  | 'host'
  /** Set or answered (`expect`) by the proxy: a visitor has no say in it. */
  | 'ours'
  /** `x-slots-release` in an answer is ours to set. */
  | 'release'
  /** Of an answer: is for the release cache alone. */
  | 'cache'
  /** Of an answer: may name the address that the slot listens on. */
  | 'address'
  | 'end-to-end';

/** `transfer-encoding` is made anew for the next hop. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
];
const OURS = ['expect', 'forwarded', 'x-real-ip', 'x-request-id', PROBE_HEADER];
const CACHE = [CACHE_CONTROL_HEADER, CACHE_TAG_HEADER];
const ADDRESSES = ['location', 'content-location', 'refresh'];
const OURS_PREFIX = 'x-forwarded-';

/** @param name in any case */
export const fieldKind: (name: string) => FieldKind = rememberSome((name) =>
  classify(name.toLowerCase()),
);

function classify(lower: string): FieldKind {
  if (HOP_BY_HOP.includes(lower)) return 'hop-by-hop';
  if (OURS.includes(lower) || lower.startsWith(OURS_PREFIX)) return 'ours';
  if (lower === 'host') return 'host';
  if (CACHE.includes(lower)) return 'cache';
  if (ADDRESSES.includes(lower)) return 'address';
  return lower === RELEASE_HEADER ? 'release' : 'end-to-end';
}

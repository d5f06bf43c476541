import { RELEASE_HEADER } from '../../slots/headers.ts';
import { fieldKind } from './field-kind.ts';
import { toVisitorAddress, visitorAddress } from './own-address.ts';

const MAX_REQUEST_ID_LENGTH = 200;

/** The connection that a request came on. */
export interface Peer {
  address: string;
  encrypted: boolean;
  /** Whether its own word about where the request came from is believed (`proxy.trustedProxies`). */
  trusted: boolean;
}

/**
 * The field names that a `Connection` field lists (RFC 9110 §7.6.1), lower-case.
 *
 * @returns `null` in the usual case of none
 */
function named(connection: string | string[] | undefined): Set<string> | null {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close')
    return null;
  const names = new Set(
    String(connection)
      .split(',')
      .map((name) => name.trim().toLowerCase()),
  );
  // It is about the message, not the connection: nobody may have it dropped.
  names.delete('content-length');
  return names;
}

/**
 * The request's fields for the slot: order, case and repetition kept, hop-by-hop fields dropped, the
 * forwarding fields set. A trusted proxy's own ones are kept, and ours added to its lists.
 *
 * @param raw as in `IncomingMessage.rawHeaders`
 * @param connection the value of the request's `Connection` field
 * @param host what the request is for: its `Host` field, or what counts instead of it
 * @returns `null` when there is more than one `Host` field (RFC 9112 §3.2)
 */
export function toSlotFields(
  raw: readonly string[],
  connection: string | undefined,
  host: string,
  peer: Peer,
  requestId: string,
): string[] | null {
  const perConnection = named(connection);
  const out: string[] = ['Host', host];
  let hosts = 0;
  let forwardedFor = '';
  let forwarded = '';
  let proto = peer.encrypted ? 'https' : 'http';
  let forwardedHost = host;
  let id = requestId;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    const kind = fieldKind(name);
    if (kind === 'host') {
      if (++hosts > 1) return null;
      continue;
    }
    if (kind === 'hop-by-hop' || perConnection?.has(name.toLowerCase())) continue;
    if (kind !== 'ours') {
      out.push(name, value);
      continue;
    }
    if (!peer.trusted) continue;
    const lower = name.toLowerCase();
    if (lower === 'x-forwarded-for') forwardedFor += `${value}, `;
    else if (lower === 'x-forwarded-proto') proto = value;
    else if (lower === 'x-forwarded-host') forwardedHost = value;
    else if (lower === 'forwarded') forwarded += `${value}, `;
    else if (lower === 'x-request-id' && value.length <= MAX_REQUEST_ID_LENGTH) id = value;
    else if (lower === 'x-real-ip' || lower.startsWith('x-forwarded-')) out.push(name, value);
  }
  out.push(
    'X-Forwarded-For',
    forwardedFor + peer.address,
    'X-Forwarded-Proto',
    proto,
    'X-Forwarded-Host',
    forwardedHost,
    'X-Request-Id',
    id,
  );
  if (forwarded !== '') out.push('Forwarded', `${forwarded}for=${forwardedNode(peer.address)}`);
  return out;
}

/** RFC 7239 §6: an IPv6 address stands in brackets and quotes. */
function forwardedNode(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address;
}

/**
 * The slot's fields for the visitor. Names keep their case, repeated fields stay apart and in order;
 * `trailer` goes on, for it announces what the end of the body will bring.
 *
 * @param raw pairs of name and value
 * @param connection the value of the answer's `Connection` field
 * @param release for `x-slots-release`, or `null` not to tell
 * @param port that the slot listens on: an answer that names it gets the visitor's own address
 * @param head of the request as the slot got it, which says what that is
 */
export function toVisitorFields(
  raw: readonly string[],
  connection: string | string[] | undefined,
  release: string | null,
  port = 0,
  head = '',
): string[] {
  const perConnection = named(connection);
  const out: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const kind = fieldKind(name);
    if (kind === 'hop-by-hop' || kind === 'release' || kind === 'cache') continue;
    if (perConnection?.has(name.toLowerCase())) continue;
    const value = raw[i + 1] as string;
    const isAddress = kind === 'address' && port !== 0;
    out.push(name, isAddress ? toVisitorAddress(value, port, () => visitorAddress(head)) : value);
  }
  if (release !== null) out.push(RELEASE_HEADER, release);
  return out;
}

const HSTS = 'strict-transport-security';

/** What the site itself says of it goes first. */
export function addHsts(fields: string[], value: string): void {
  for (let i = 0; i < fields.length; i += 2) {
    if ((fields[i] as string).toLowerCase() === HSTS) return;
  }
  fields.push(HSTS, value);
}

const NONE: readonly string[] = [];

/** The slot's fields that are for the release cache alone, which `toVisitorFields` leaves out: name and value in turn. */
export function toCacheFields(raw: readonly string[]): readonly string[] {
  let out: string[] | null = null;
  for (let i = 0; i < raw.length; i += 2) {
    if (fieldKind(raw[i] as string) !== 'cache') continue;
    out ??= [];
    out.push(raw[i] as string, raw[i + 1] as string);
  }
  return out ?? NONE;
}

/** Names that must not come in a trailer: the body cannot be read without them. */
const NEEDED_BEFORE_BODY = new Set(['content-length', 'trailer']);

/**
 * The fields after a body that may go on, either way (RFC 9110 §6.5.1).
 *
 * @returns pairs of name and value
 */
export function toTrailers(raw: readonly string[]): [string, string][] {
  const out: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const kind = fieldKind(name);
    const isPassed = kind === 'end-to-end' || kind === 'address';
    if (!isPassed || NEEDED_BEFORE_BODY.has(name.toLowerCase())) continue;
    out.push([name, raw[i + 1] as string]);
  }
  return out;
}

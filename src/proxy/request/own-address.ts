/**
 * Answers that name the address which the site itself listens on: it knows no other where its framework makes absolute URLs of
 * its own host and port, and a visitor can not reach that one. nginx's `proxy_redirect` does the same.
 */

/** The scheme and authority that the visitor asked for, as in `https://example.com`. */
interface VisitorAddress {
  scheme: string;
  authority: string;
}

/** The hosts that mean the machine itself, as servers name what they listen on; a `Refresh` has seconds before it. */
const OWN =
  /^(\s*(?:\d[\d.]*\s*[;,]\s*(?:url\s*=\s*)?['"]?)?)(https?:)?\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):(\d+)(?=[/?#'"\s]|$)/i;

/**
 * @param value of a `Location`, `Content-Location` or `Refresh` field
 * @param port that the slot listens on
 * @param visitor asked only where it is needed
 */
export function toVisitorAddress(
  value: string,
  port: number,
  visitor: () => VisitorAddress | null,
): string {
  const found = OWN.exec(value);
  if (!found || Number(found[3]) !== port) return value;
  const address = visitor();
  if (address === null) return value;
  const [own, before = '', scheme] = found;
  const origin = `${scheme === undefined ? '' : `${address.scheme}:`}//${address.authority}`;
  return before + origin + value.slice(own.length);
}

/**
 * Reads off the head that went to the slot where the visitor is, by the forwarding fields that the proxy has set.
 *
 * @param head all of it, in which the fields of ours come last
 */
export function visitorAddress(head: string): VisitorAddress | null {
  const authority = lastField(head, 'X-Forwarded-Host');
  const scheme = lastField(head, 'X-Forwarded-Proto').toLowerCase();
  if (authority === '' || (scheme !== 'http' && scheme !== 'https')) return null;
  return { scheme, authority };
}

/** The first item of the field's list: a trusted proxy may have added its own to its client's. */
function lastField(head: string, name: string): string {
  const start = head.lastIndexOf(`\r\n${name}: `);
  if (start < 0) return '';
  const from = start + name.length + 4;
  const line = head.slice(from, head.indexOf('\r\n', from));
  return (line.split(',')[0] ?? '').trim();
}

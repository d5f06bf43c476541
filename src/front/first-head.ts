/** Finds in a connection's first bytes the host that its first request is for. Pure. */
import { hostOf } from '../config/host-names.ts';

/**
 * `more`: too little has come. `none`: no HTTP/1.1 request, or one for no host. The reading is lenient, for the site's own
 * server judges the request, and whether it is for this site.
 */
export type FirstHead = { host: string } | 'more' | 'none';

const REQUEST_LINE = /^[!#$%&'*+.^_`|~\w-]+ (\S+) HTTP\/1\.[01]\r?\n/;
const ABSOLUTE = /^https?:\/\/(?:[^/?#@]*@)?([^/?#]*)/i;
const HOST_FIELD = /\nhost:[ \t]*([^\r\n]*?)[ \t]*\r?\n/i;
const END_OF_HEAD = /\r?\n\r?\n/;

/** What a request line can begin with; anything else need not be waited for. */
const BEGIN = /^[!#$%&'*+.^_`|~\w-]+(?: \S*)?/;

/** @param text what has come, as Latin-1, from the connection's first byte on */
export function readFirstHead(received: string): FirstHead {
  // RFC 9112 §2.2: an empty line before the request line is ignored.
  const text = received.replace(/^(?:\r?\n)+/, '');
  const line = REQUEST_LINE.exec(text);
  if (line === null)
    return text === '' || (BEGIN.test(text) && !text.includes('\n')) ? 'more' : 'none';
  const [, authority] = ABSOLUTE.exec(line[1] as string) ?? [];
  // RFC 9112 §3.2.2: the absolute form wins over the field.
  if (authority) return { host: hostOf(authority) };
  const [, host] = HOST_FIELD.exec(text) ?? [];
  if (host) return { host: hostOf(host) };
  return END_OF_HEAD.test(text) ? 'none' : 'more';
}

/** The hosts of a site that shares the front: names, and wildcards for what is below a name. Pure. */
import { z } from 'zod';

const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const HOST = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);
const LONGEST_NAME = 253;

/** One host as a person writes it, in the form in which hosts are compared. */
export const hostName = z
  .string()
  .transform((text) => text.toLowerCase().replace(/\.$/, ''))
  .refine((text) => text.length <= LONGEST_NAME && HOST.test(text), {
    message:
      'a host such as blog.example.com or *.blog.example.com, without scheme, port or path; names with other letters in their xn-- form',
  });

/**
 * The host of a `Host` field or an `:authority`, in the form in which hosts are compared: lower case, without its port and
 * without the dot that may end a name (RFC 3986 §3.2.2).
 */
export function hostOf(authority: string): string {
  const name = authority.startsWith('[')
    ? authority.slice(0, authority.indexOf(']') + 1)
    : authority.replace(/:\d*$/, '');
  return name.toLowerCase().replace(/\.$/, '');
}

/** A site and the hosts that it claims. */
export interface Claim {
  name: string;
  hosts: readonly string[];
}

/** A host that two sites claim. `*.example.com` and `www.example.com` are two hosts: the exact one wins. */
export function contested(
  hosts: readonly string[],
  others: readonly Claim[],
): { host: string; by: string } | null {
  for (const host of hosts) {
    const other = others.find((claim) => claim.hosts.includes(host));
    if (other) return { host, by: other.name };
  }
  return null;
}

/** A name that a request for this host can have: any label stands for the star. */
export function exampleOf(host: string): string {
  return host.replace(/^\*/, 'www');
}

import { createHash, timingSafeEqual } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { http } from './node-http.ts';
import { compileRedirect, type Redirect, type RedirectRule } from './static-redirect.ts';
import type { Target } from './static-target.ts';

/** The rules of Netlify's `_headers` and `_redirects` in a folder. */
export interface Rules {
  /** The fields of an answer, by their names in lower case. */
  headersFor(path: string): Record<string, string>;
  /** Whether no `Basic-Auth` of `_headers` is for this path, or this `Authorization` satisfies it. */
  isAllowed(path: string, authorization: string | undefined): boolean;
  /** @param isForced asks for the rules that go before a file of the same path, or for the others */
  redirect(target: Target, host: string | undefined, isForced: boolean): Redirect | null;
}

/** Fields that belong to the message, which Netlify does not let a site set either. */
const FRAMING =
  /^(accept-ranges|age|allow|connection|content-(encoding|length|range)|date|keep-alive|server|trailer|transfer-encoding|upgrade)$/;

interface HeaderRule {
  pattern: RegExp;
  fields: Record<string, string>;
  /** `user:password`, several of them separated by spaces. */
  passwords: string | null;
}

type Tell = (message: string) => void;

/**
 * Reads both files with Netlify's own parsers, which a site without these files does not load.
 *
 * @param tell is given each line that cannot be done here and is left out
 */
export async function readRules(folder: string, tell: Tell): Promise<Rules> {
  const headers = await readHeaders(join(folder, '_headers'), tell);
  const redirects = await readRedirects(join(folder, '_redirects'), tell);
  const matching = (path: string) => headers.filter(({ pattern }) => pattern.test(path));
  return {
    // Of two rules for a field the later one counts, as in Netlify's own server.
    headersFor: (path) => Object.assign({}, ...matching(path).map(({ fields }) => fields)),
    isAllowed: (path, authorization) =>
      matching(path).every(({ passwords }) => !passwords || isKnown(passwords, authorization)),
    redirect(target, host, isForced) {
      for (const rule of redirects) {
        const found = rule.isForced === isForced ? rule.apply(target, host) : null;
        if (found) return found;
      }
      return null;
    },
  };
}

async function readHeaders(file: string, tell: Tell): Promise<HeaderRule[]> {
  if (!existsSync(file)) return [];
  const { parseAllHeaders } = await import('@netlify/headers-parser');
  const options = { headersFiles: [file], netlifyConfigPath: undefined, configHeaders: undefined };
  const { headers, errors } = await parseAllHeaders({ ...options, minimal: false });
  for (const { message } of errors) tell(`_headers: ${message}`);
  return headers.map((rule) => {
    const { forRegExp } = rule as { forRegExp: RegExp };
    const all = Object.entries(rule.values).map(([name, value]) => [name.toLowerCase(), value]);
    const fields = all.filter(([name, value]) => isField(name as string, value as string, tell));
    const passwords = all.find(([name]) => name === 'basic-auth')?.[1] ?? null;
    return { pattern: forRegExp, fields: Object.fromEntries(fields), passwords };
  });
}

function isField(name: string, value: string, tell: Tell): boolean {
  if (name === 'basic-auth' || FRAMING.test(name)) return false;
  try {
    http.validateHeaderName(name);
    http.validateHeaderValue(name, value);
    return true;
  } catch (error) {
    tell(`_headers: ${(error as Error).message}`);
    return false;
  }
}

async function readRedirects(file: string, tell: Tell): Promise<RedirectRule[]> {
  if (!existsSync(file)) return [];
  const { parseAllRedirects } = await import('@netlify/redirect-parser');
  const options = { redirectsFiles: [file], configRedirects: [], minimal: false };
  const { redirects, errors } = await parseAllRedirects(options);
  for (const { message } of errors) tell(`_redirects: ${message}`);
  return redirects.flatMap((parsed) => {
    const rule = compileRedirect(parsed as Parameters<typeof compileRedirect>[0]);
    if (typeof rule !== 'string') return [rule];
    tell(`_redirects: ${rule}`);
    return [];
  });
}

/** RFC 7617. Both sides are hashed, so that the time of the comparison tells nothing. */
function isKnown(passwords: string, authorization: string | undefined): boolean {
  const [scheme = '', credentials = ''] = (authorization ?? '').split(' ');
  if (scheme.toLowerCase() !== 'basic') return false;
  const given = digest(Buffer.from(credentials, 'base64').toString());
  return passwords.split(/\s+/).some((password) => timingSafeEqual(digest(password), given));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

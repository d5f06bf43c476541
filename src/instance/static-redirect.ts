import { encodePath, readTarget, type Target } from './static-target.ts';

/** One line of `_redirects` as `@netlify/redirect-parser` gives it. */
export interface ParsedRedirect {
  from: string;
  /** Of a rule for one host, which `from` then names. */
  host?: string;
  path: string;
  /** Parameters that the request must have, with the value or a `:name` for it. */
  query: Record<string, string>;
  to: string;
  status?: number;
  force: boolean;
  conditions: Record<string, unknown>;
  /** Whether it asks for an answer of another server. */
  proxy: boolean;
}

/** Where a request goes by a rule: elsewhere with a status of 3xx, or to another file. */
export interface Redirect {
  status: number;
  to: string;
}

export interface RedirectRule {
  /** Whether it goes before a file of the same path. */
  isForced: boolean;
  apply(target: Target, host: string | undefined): Redirect | null;
}

/** The values of the placeholders of a rule. */
type Values = Record<string, string>;

/** @returns why it cannot be done here, for a rule that needs more than the request's target and host */
export function compileRedirect(rule: ParsedRedirect): RedirectRule | string {
  const { from, host, path, query, to, status = 301, force, conditions, proxy } = rule;
  if (proxy) return `${from}: ${to} is another server, whose answers are not passed on; left out`;
  const [condition] = Object.keys(conditions);
  if (condition) return `${from}: the condition ${condition} is not known here; left out`;
  const match = compilePath(path);
  const isFiltered = Object.keys(query).length > 0;
  return {
    isForced: force,
    apply(target, asked) {
      if (host !== undefined && host !== asked) return null;
      const inPath = match(target.path);
      const inQuery = isFiltered ? matchQuery(query, target.search) : {};
      if (!inPath || !inQuery) return null;
      const place = fill(to, { ...inPath, ...inQuery });
      const search = isFiltered || place.includes('?') ? '' : target.search;
      return { status, to: place + search };
    },
  };
}

/** `:name` stands for one part of a path, `*` at its end for the rest; a slash at the end makes no difference. */
function compilePath(path: string): (asked: string) => Values | null {
  const names: string[] = [];
  const parts = decoded(path).split('/').filter(Boolean);
  const source = parts.map((part, index) => {
    if (part === '*' && index === parts.length - 1) {
      names.push('splat');
      return '(?:/(.*))?';
    }
    if (!part.startsWith(':')) return `/${part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}`;
    names.push(part.slice(1));
    return '/([^/]+)';
  });
  const pattern = new RegExp(`^${source.join('')}/?$`, 'su');
  return (asked) => {
    const found = pattern.exec(asked);
    return found && Object.fromEntries(names.map((name, at) => [name, found[at + 1] ?? '']));
  };
}

function decoded(path: string): string {
  const target = readTarget(path);
  return typeof target === 'object' ? target.path : path;
}

function matchQuery(query: Values, search: string): Values | null {
  const asked = new URLSearchParams(search);
  const values: Values = {};
  for (const [name, wanted] of Object.entries(query)) {
    const value = asked.get(name);
    if (value === null || (!wanted.startsWith(':') && wanted !== value)) return null;
    if (wanted.startsWith(':')) values[wanted.slice(1)] = value;
  }
  return values;
}

function fill(to: string, values: Values): string {
  const [origin = ''] = /^https?:\/\/[^/]*/.exec(to) ?? [];
  const filled = to.slice(origin.length).replaceAll(/:([A-Za-z_]\w*)/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return name === 'splat' ? encodePath(value) : encodeURIComponent(value);
  });
  // Two slashes in front would be another host (RFC 3986 §4.2).
  return origin + (origin === '' ? filled.replace(/^[/\\]{2,}/, '/') : filled);
}

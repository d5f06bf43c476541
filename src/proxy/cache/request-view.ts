/** What the cache wants to know of a request, by one look at its fields: several show in a profile. Pure. */
import { rememberSome } from '../remember.ts';

export interface RequestView {
  host: string;
  scheme: 'http' | 'https';
  /** All `Cookie` fields, or `undefined`. */
  cookies: string | undefined;
  cacheControl: string | undefined;
  pragma: string | undefined;
  hasAuthorization: boolean;
  hasRange: boolean;
}

type Kind = keyof RequestView | 'other' | 'forwarded' | 'forwardedHost';

const KINDS = new Map<string, Kind>([
  ['cookie', 'cookies'],
  ['cache-control', 'cacheControl'],
  ['pragma', 'pragma'],
  ['authorization', 'hasAuthorization'],
  ['range', 'hasRange'],
  ['x-forwarded-for', 'other'],
  ['x-forwarded-proto', 'scheme'],
  ['x-forwarded-host', 'forwardedHost'],
]);

const kindOf = rememberSome((name): Kind => {
  const lower = name.toLowerCase();
  return KINDS.get(lower) ?? (lower.startsWith('x-forwarded-') ? 'forwarded' : 'other');
});

/** @param headers as the slot gets them: `Host` first */
export function viewOf(headers: readonly string[]): RequestView {
  const view: RequestView = {
    host: headers[1] as string,
    scheme: 'http',
    cookies: undefined,
    cacheControl: undefined,
    pragma: undefined,
    hasAuthorization: false,
    hasRange: false,
  };
  for (let i = 2; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const kind = kindOf(name);
    if (kind !== 'other') note(view, kind, name, headers[i + 1] as string, headers[1] as string);
  }
  return view;
}

function note(view: RequestView, kind: Kind, name: string, value: string, host: string): void {
  switch (kind) {
    case 'cookies':
    case 'cacheControl':
    case 'pragma': {
      const before = view[kind];
      view[kind] = before === undefined ? value : `${before}, ${value}`;
      return;
    }
    case 'hasAuthorization':
      view.hasAuthorization = true;
      return;
    case 'hasRange':
      view.hasRange = true;
      return;
    case 'scheme':
      if (value === 'http' || value === 'https') view.scheme = value;
      else addToHost(view, name, value);
      return;
    case 'forwardedHost':
      if (value !== host) addToHost(view, name, value);
      return;
    default:
      addToHost(view, name, value);
  }
}

/** What a trusted proxy says of its visitor may change an answer, so that it is a part of the key. */
function addToHost(view: RequestView, name: string, value: string): void {
  view.host += `|${name.toLowerCase()}=${encodeURIComponent(value)}`;
}

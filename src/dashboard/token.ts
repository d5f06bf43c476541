/**
 * The token comes in the address's fragment, which no browser sends to a server. It is taken out of the
 * address at once, so that it stays out of the history and of screenshots, and kept for this tab only.
 */

const KEY = 'slots-token';

export function takeToken(): string | null {
  const given = tokenIn(location.hash);
  if (given) {
    keepToken(given);
    history.replaceState(null, '', location.pathname);
  }
  return given ?? sessionStorage.getItem(KEY);
}

export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
}

/** @param text a whole address, or what follows its `#` */
export function tokenIn(text: string): string | null {
  const found = /#token=([^&\s]+)/.exec(text)?.[1];
  return found ? decodeURIComponent(found) : null;
}

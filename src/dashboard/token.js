/**
 * The token comes in the address's fragment, which no browser sends to a server. It is taken out of the
 * address at once, so that it stays out of the history and of screenshots, and kept for this tab only.
 */

const KEY = 'slots-token';

/** @returns {string | null} */
export function takeToken() {
  const given = tokenIn(location.hash);
  if (given) {
    keepToken(given);
    history.replaceState(null, '', location.pathname);
  }
  return given ?? sessionStorage.getItem(KEY);
}

/** @param {string} token */
export function keepToken(token) {
  sessionStorage.setItem(KEY, token);
}

export function forgetToken() {
  sessionStorage.removeItem(KEY);
}

/**
 * @param {string} text a whole address, or what follows its `#`
 * @returns {string | null}
 */
export function tokenIn(text) {
  const found = /#token=([^&\s]+)/.exec(text)?.[1];
  return found ? decodeURIComponent(found) : null;
}

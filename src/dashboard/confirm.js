/** A question in the page, asked before something that visitors see. The browser's dialog keeps the focus. */
import { byId, setText, setTextOrHide } from './dom.js';

/**
 * Asks, and does it on a yes. Stays open while it is done and if it fails, with the reason.
 *
 * @param {{ title: string, text: string, yes: string, doing: string }} words
 * @param {() => Promise<unknown>} act
 */
export function confirm({ title, text, yes, doing }, act) {
  const dialog = byId('confirm');
  const accept = byId('confirm-yes');
  const opener = /** @type {HTMLElement} */ (document.activeElement);
  setText(byId('confirm-title'), title);
  setText(byId('confirm-text'), text);
  setText(accept, yes);
  setTextOrHide(byId('confirm-error'), null);
  accept.setAttribute('aria-disabled', 'false');

  byId('confirm-no').onclick = () => dialog.close();
  accept.onclick = async () => {
    if (accept.getAttribute('aria-disabled') === 'true') return;
    accept.setAttribute('aria-disabled', 'true');
    setText(accept, doing);
    setTextOrHide(byId('confirm-error'), null);
    try {
      await act();
      dialog.close();
    } catch (error) {
      const { message, hint } = /** @type {Error & { hint?: string }} */ (error);
      setTextOrHide(byId('confirm-error'), hint ? `${message} (${hint})` : message);
      setText(accept, yes);
    }
    accept.setAttribute('aria-disabled', 'false');
  };
  // A release that is live by now has no button any more for the focus to go back to.
  dialog.onclose = () => {
    if (!opener.checkVisibility()) byId('releases-title').focus();
  };
  dialog.showModal();
  byId('confirm-no').focus();
}

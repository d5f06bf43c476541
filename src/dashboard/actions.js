/**
 * What a person can do here.
 *
 * @import { Model } from './app.js'
 */
import { confirm } from './confirm.js';
import { byId, setText } from './dom.js';
import { standbyRelease } from './releases-view.js';

const PAUSES =
  'Edits pause, or else the next one would bring the newer content back; “Resume edits” ends that.';

/**
 * @param {(method: 'GET' | 'POST', path: string, body?: unknown) => Promise<unknown>} call
 * @param {Model} model
 */
export function wireActions(call, model) {
  /** @param {string} id @param {string} path @param {string} doing */
  const wire = (id, path, doing) => {
    const button = byId(id);
    const word = button.textContent;
    button.addEventListener('click', async () => {
      if (button.getAttribute('aria-disabled') === 'true') return;
      button.setAttribute('aria-disabled', 'true');
      setText(button, doing);
      byId('notice').hidden = true;
      await call('POST', path).catch(notify);
      setText(button, word);
      button.setAttribute('aria-disabled', 'false');
    });
  };
  wire('promote', '/api/promote', 'Ordering …');
  wire('pause', '/api/pause', 'Pausing …');
  wire('resume', '/api/resume', 'Resuming …');
  byId('notice-close').addEventListener('click', () => {
    byId('notice').hidden = true;
    byId('promote').focus();
  });

  byId('rollback').addEventListener('click', () => {
    const release = model.status && standbyRelease(model.status);
    confirm(
      {
        title: 'Roll back?',
        text: `Visitors move to ${release}, the warm standby, at once. No request is lost. ${PAUSES}`,
        yes: 'Roll back',
        doing: 'Rolling back …',
      },
      () => call('POST', '/api/rollback', { release: null }),
    );
  });

  return {
    /** @param {string} release */
    rollback(release) {
      const isStandby = model.status && standbyRelease(model.status) === release;
      const how = isStandby
        ? 'It is the warm standby, so visitors move to it at once.'
        : 'It is started and checked first, which takes a few seconds; then visitors move to it.';
      confirm(
        {
          title: `Make ${release} live?`,
          text: `${how} No request is lost. ${PAUSES}`,
          yes: 'Make live',
          doing: 'Making it live …',
        },
        () => call('POST', '/api/rollback', { release: isStandby ? null : release }),
      );
    },
  };
}

/** @param {Error & { hint?: string }} error */
function notify({ message, hint }) {
  setText(byId('notice-text'), hint ? `${message} (${hint})` : message);
  byId('notice').hidden = false;
}

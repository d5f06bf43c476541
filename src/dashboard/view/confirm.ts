import { html } from 'htm/preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { sentenceOf } from '../call.ts';

/** Asked before something that visitors see. */
export interface Question {
  title: string;
  text: string;
  yes: string;
  /** Shown instead of `yes` while it is done. */
  doing: string;
  act(): Promise<void>;
}

interface Props {
  question: Question | null;
  onClose(question: Question | null): void;
}

/** Stays open while what was asked is done, and if it fails, with the reason. The browser's dialog keeps the focus. */
export function Confirm({ question, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const cancel = useRef<HTMLButtonElement>(null);
  const opener = useRef<Element | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);

  useLayoutEffect(() => {
    if (!question) return;
    opener.current = document.activeElement;
    setError(null);
    dialog.current?.showModal();
    cancel.current?.focus();
  }, [question]);

  const accept = async () => {
    if (isBusy || !question) return;
    setBusy(true);
    setError(null);
    try {
      await question.act();
      dialog.current?.close();
    } catch (failure) {
      setError(sentenceOf(failure));
    }
    setBusy(false);
  };
  const closed = () => {
    // The browser sends `close` a moment later: the next question may be open by then.
    if (dialog.current?.open) return;
    // A release that is live by now has no button any more for the focus to go back to.
    if (!opener.current?.checkVisibility()) document.getElementById('releases-title')?.focus();
    onClose(question);
  };
  return html`
    <dialog ref=${dialog} id="confirm" aria-labelledby="confirm-title" aria-describedby="confirm-text" onClose=${closed}>
      <h2 id="confirm-title">${question?.title}</h2>
      <p id="confirm-text">${question?.text}</p>
      <p id="confirm-error" class="reason" role="alert" hidden=${error === null}>${error}</p>
      <div class="row">
        <button ref=${cancel} id="confirm-no" type="button" onClick=${() => dialog.current?.close()}>Cancel</button>
        <button id="confirm-yes" class="primary" type="button" aria-disabled=${String(isBusy)} onClick=${accept}>
          ${isBusy ? question?.doing : question?.yes}
        </button>
      </div>
    </dialog>
  `;
}

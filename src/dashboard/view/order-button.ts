import { html } from 'htm/preact';
import { useState } from 'preact/hooks';
import { useHiding } from './hiding.ts';

interface Props {
  id: string;
  class?: string;
  word: string;
  /** Shown instead of `word` until the order was taken. */
  doing: string;
  act(): Promise<void>;
  hidden?: boolean;
}

/** Gives an order once, however often it is clicked meanwhile; it keeps the focus. */
export function OrderButton({ id, class: kind = '', word, doing, act, hidden = false }: Props) {
  const [isBusy, setBusy] = useState(false);
  const ref = useHiding<HTMLButtonElement>(hidden, 'promotion-title');
  const order = async () => {
    if (isBusy) return;
    setBusy(true);
    await act();
    setBusy(false);
  };
  return html`
    <button ref=${ref} id=${id} class=${kind} type="button" hidden=${hidden}
      aria-disabled=${String(isBusy)} onClick=${order}>${isBusy ? doing : word}</button>
  `;
}

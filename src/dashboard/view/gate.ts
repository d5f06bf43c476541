import { html } from 'htm/preact';
import { useEffect, useRef } from 'preact/hooks';

interface Props {
  /** Why a token is wanted; `null` hides this. */
  why: string | null;
  onToken(given: string): void;
}

/** Asks for a token. */
export function Gate({ why, onToken }: Props) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (why !== null) input.current?.focus();
  }, [why]);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!input.current) return;
    const given = input.current.value.trim();
    input.current.value = '';
    onToken(given);
  };
  return html`
    <section id="gate" class="gate" aria-labelledby="gate-title" hidden=${why === null}>
      <h2 id="gate-title">This page needs a token</h2>
      <p id="gate-text" role="alert">${why}</p>
      <p>Run <code>npx slots dash</code> on the site’s machine. It prints this page’s whole address.</p>
      <form id="gate-form" onSubmit=${submit}>
        <label for="gate-token">The address, or the token alone</label>
        <div class="row">
          <input ref=${input} id="gate-token" type="password" autocomplete="off" spellcheck=${false} required />
          <button class="primary" type="submit">Open</button>
        </div>
      </form>
    </section>
  `;
}

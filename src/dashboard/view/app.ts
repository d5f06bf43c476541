import { html } from 'htm/preact';
import { useState } from 'preact/hooks';
import type { Status } from '../../controller/admin/status.ts';
import { plural } from '../format.ts';
import type { Link, Model } from '../model.ts';
import type { Session } from '../session.ts';
import { Banners } from './banners.ts';
import { Confirm, type Question } from './confirm.ts';
import { Fleet } from './fleet.ts';
import { Gate } from './gate.ts';
import { History } from './history.ts';
import { Memory } from './memory.ts';
import { Promotion } from './promotion.ts';
import { askRelease, askRollback } from './questions.ts';
import { Releases } from './releases.ts';
import { Slots } from './slots.ts';
import { Traffic } from './traffic.ts';

const WORDS: Record<Link, string> = {
  connecting: 'connecting',
  live: 'connected',
  lost: 'connection lost',
  none: 'not connected',
};

interface Props {
  model: Model;
  session: Session;
}

export function App({ model, session }: Props) {
  const { link, gate, status, announcement } = model;
  return html`
    <p id="announcer" class="unseen" role="status" aria-live="polite">${announcement}</p>
    <header class="top">
      <img class="mark" src="/assets/icon.svg" alt="" width="28" height="28" />
      <h1 id="site-name">${status?.name ?? 'slots'}</h1>
      <p id="connection" class="connection" data-state=${link}>${WORDS[link]}</p>
    </header>
    <${Gate} why=${gate} onToken=${session.useToken} />
    ${status && html`<${Page} model=${model} status=${status} session=${session} />`}
  `;
}

function Page({ model, status, session }: Props & { status: Status }) {
  const [question, ask] = useState<Question | null>(null);
  return html`
    <main id="page" hidden=${model.gate !== null} data-stale=${String(model.link === 'lost')}>
      <${Banners} model=${model} session=${session} />
      <${Slots} model=${model} status=${status} />
      <${Fleet} fleet=${model.fleet} />
      <${Promotion} model=${model} status=${status} session=${session} />
      <${Traffic} model=${model} />
      <${Memory} model=${model} status=${status} />
      <div class="columns">
        <${Releases} model=${model} status=${status} onRollback=${() => ask(askRollback(model, session))}
          onRelease=${(id: string) => ask(askRelease(id, model, session))} />
        <${History} model=${model} />
      </div>
      <footer id="footer" class="quiet">${`slots ${status.version} · ${plural(status.epoch, 'flip')} so far`}</footer>
    </main>
    <${Confirm} question=${question} onClose=${(closed: Question | null) => ask((now) => (now === closed ? null : now))} />
  `;
}

/** Says in the page's title which slot is live. */
export function titleOf({ promotion, active, name, slots }: Status): string {
  if (promotion) return `${promotion.stage} … ${name}`;
  return slots[active].role === 'active' ? `${active} · ${name}` : `nothing live · ${name}`;
}

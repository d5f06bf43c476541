import { html } from 'htm/preact';
import type { Status } from '../../controller/admin/status.ts';
import { plural } from '../format.ts';
import type { Model } from '../model.ts';
import type { Session } from '../session.ts';
import { useHiding } from './hiding.ts';
import { OrderButton } from './order-button.ts';

/** Banners for what a person should know or do before all else. */
export function Banners({ model, session }: { model: Model; session: Session }) {
  const { status } = model;
  return html`
    <div id="banners">
      <${Lost} model=${model} session=${session} />
      <${FailOver} status=${status} />
      <${Maintenance} status=${status} />
      <${Paused} status=${status} session=${session} />
      <${Notice} text=${model.notice} session=${session} />
    </div>
  `;
}

function Lost({ model: { link, status, seenAt }, session }: { model: Model; session: Session }) {
  const at = new Date(seenAt).toLocaleTimeString();
  const text = `What you see is from ${at}. Trying to reach the controller again …`;
  return html`
    <div id="lost" class="banner bad" role="alert" hidden=${link !== 'lost' || status === null}>
      <p><strong>Connection lost.</strong> <span id="lost-text">${text}</span></p>
      <button id="lost-retry" type="button" onClick=${session.retry}>Try now</button>
    </div>
  `;
}

function FailOver({ status }: { status: Status | null }) {
  const { failedOverFrom, active } = status ?? {};
  return html`
    <div id="failover" class="banner bad" role="alert" hidden=${failedOverFrom === undefined}>
      <p id="failover-text">${failedOverFrom} stopped answering: visitors are on ${active}.</p>
    </div>
  `;
}

function Maintenance({ status }: { status: Status | null }) {
  const { since, allow = [] } = status?.maintenance ?? {};
  const from = since ? ` since ${new Date(since).toLocaleString()}` : '';
  const but = allow.length > 0 ? `, but for ${allow.join(', ')}` : '';
  return html`
    <div id="maintenance" class="banner warn" role="status" hidden=${since === undefined}>
      <p>
        <strong>Maintenance is on.</strong>${' '}
        <span id="maintenance-text">
          Visitors get a 503 page${from}${but}: <code>slots maintenance off</code> shows the site again.
        </span>
      </p>
    </div>
  `;
}

function Paused({ status, session }: { status: Status | null; session: Session }) {
  const { paused = false, pending = 0 } = status?.watcher ?? {};
  const ref = useHiding<HTMLDivElement>(!paused, 'promotion-title');
  const waiting = pending > 0 ? `${plural(pending, 'change')} waiting; resume` : 'Resume';
  return html`
    <div ref=${ref} id="paused" class="banner warn" role="status" hidden=${!paused}>
      <p>
        <strong>Edits are paused.</strong>${' '}
        <span id="paused-text">${waiting} to promote what was edited meanwhile.</span>
      </p>
      <${OrderButton} id="resume" class="primary" word="Resume edits" doing="Resuming …"
        act=${() => session.order('/api/resume')} />
    </div>
  `;
}

function Notice({ text, session }: { text: string | null; session: Session }) {
  const close = () => {
    session.dismissNotice();
    document.getElementById('promote')?.focus();
  };
  return html`
    <div id="notice" class="banner bad" role="alert" hidden=${text === null}>
      <p id="notice-text">${text}</p>
      <button id="notice-close" type="button" onClick=${close}>Dismiss</button>
    </div>
  `;
}

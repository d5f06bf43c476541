import { html } from 'htm/preact';
import type { Status } from '../../controller/admin/status.ts';
import { duration } from '../../duration.ts';
import { serverNow } from '../call.ts';
import { plural } from '../format.ts';
import type { Model } from '../model.ts';
import type { Session } from '../session.ts';
import { type Step, sentenceOfPromotion, stepsOf } from '../stages.ts';
import { Icon, type IconName } from './icon.ts';
import { BuildLog } from './log.ts';
import { OrderButton } from './order-button.ts';

interface Props {
  model: Model;
  status: Status;
  session: Session;
}

/** The promotion that runs, moving through its six stages, or the last one. */
export function Promotion({ model, status, session }: Props) {
  const { promotion, last, watcher } = status;
  const now = serverNow();
  const error = promotion ? null : (last?.error ?? null);
  return html`
    <section class="panel" aria-labelledby="promotion-title">
      <header class="head">
        <h2 id="promotion-title" tabindex="-1">${promotion || !last ? 'Promotion' : 'Last promotion'}</h2>
        <${OrderButton} id="promote" class="primary" word="Build and promote" doing="Ordering …"
          act=${() => session.order('/api/promote')} />
        <${OrderButton} id="pause" word="Pause edits" doing="Pausing …" hidden=${watcher.paused}
          act=${() => session.order('/api/pause')} />
      </header>
      <p id="promotion-text" class="lead">${sentenceOfPromotion(status, now)}</p>
      <ol id="stages" class="stages" data-running=${String(promotion !== null)}>
        ${stepsOf(status, now).map((step) => html`<${StageItem} key=${step.stage} ...${step} />`)}
      </ol>
      <p id="promotion-error" class="reason" hidden=${error === null}>${error}</p>
      <${BuildLog} log=${model.log} />
      <p id="watching" class="quiet">${watchingText(watcher)}</p>
    </section>
  `;
}

const MARKS: Record<Step['state'], { icon: IconName; word: string }> = {
  todo: { icon: 'ring', word: 'to come' },
  running: { icon: 'arc', word: 'running' },
  done: { icon: 'check', word: 'done' },
  failed: { icon: 'cross', word: 'failed' },
  skipped: { icon: 'dash', word: 'not needed' },
  missed: { icon: 'dash', word: 'not reached' },
};

function StageItem({ stage, state, ms }: Step) {
  const { icon, word } = MARKS[state];
  return html`
    <li data-stage=${stage} data-state=${state} aria-current=${state === 'running' ? 'step' : undefined}>
      <span class="bead" data-icon=${icon}><${Icon} name=${icon} /><span class="unseen">${word}</span></span>
      <span class="name">${stage}</span>
      <span class="time">${ms === null ? '' : duration(ms)}</span>
    </li>
  `;
}

function watchingText({ paths, pending, paused }: Status['watcher']): string {
  const waiting = pending > 0 ? `, ${plural(pending, 'change')} waiting` : '';
  return `${paused ? 'Seeing edits in' : 'Promoting edits in'} ${paths.join(', ')}${waiting}`;
}

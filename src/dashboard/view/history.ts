import { html } from 'htm/preact';
import { useState } from 'preact/hooks';
import { duration } from '../../duration.ts';
import type { HistoryEntry } from '../../slots/history.ts';
import { serverNow } from '../call.ts';
import { ago, changedFiles, reasonOf } from '../format.ts';
import type { Model, Release } from '../model.ts';
import { sumOf } from '../stages.ts';
import { Icon, type IconName } from './icon.ts';

const SHOWN_AT_FIRST = 8;

const OUTCOMES: Record<HistoryEntry['outcome'], { icon: IconName; word: string }> = {
  promoted: { icon: 'check', word: 'promoted' },
  'rolled-back': { icon: 'undo', word: 'rolled back' },
  failed: { icon: 'cross', word: 'failed' },
};

/** The history, newest first, with reasons. */
export function History({ model: { history, releases } }: { model: Model }) {
  const [isWhole, setWhole] = useState(false);
  const newest = [...history].sort((a, b) => Date.parse(b.finishedAt) - Date.parse(a.finishedAt));
  const shown = isWhole ? newest : newest.slice(0, SHOWN_AT_FIRST);
  return html`
    <section class="panel" aria-labelledby="history-title">
      <header class="head"><h2 id="history-title">History</h2></header>
      <ul id="history" class="list">
        ${shown.map((entry) => html`<${Entry} key=${entry.id} entry=${entry} releases=${releases} />`)}
      </ul>
      <p id="history-none" class="quiet" hidden=${newest.length > 0}>Nothing has happened yet.</p>
      <button id="history-more" type="button" hidden=${shown.length === newest.length}
        onClick=${() => setWhole(true)}>Show all</button>
    </section>
  `;
}

function Entry({ entry, releases }: { entry: HistoryEntry; releases: Release[] }) {
  const { outcome, release, trigger, finishedAt, durationsMs, stage, error } = entry;
  const { icon, word } = OUTCOMES[outcome];
  const files = changedFiles(releases.find((kept) => kept.id === release)?.changed ?? []);
  const why = trigger === 'edit' && files ? `an edit of ${files}` : reasonOf(trigger);
  return html`
    <li data-outcome=${outcome}>
      <div class="what">
        <p class="line">
          <span class="outcome" data-icon=${icon}><${Icon} name=${icon} />${word}</span>
          <span class="release" hidden=${release === null}>${release}</span>
          <span class="quiet">${ago(finishedAt, serverNow())}</span>
        </p>
        <p class="quiet">${`${why} · took ${duration(sumOf(durationsMs))}`}</p>
        <p class="reason" hidden=${!error}>${error && `in ${stage}: ${error}`}</p>
      </div>
    </li>
  `;
}

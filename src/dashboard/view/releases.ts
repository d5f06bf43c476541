import { html } from 'htm/preact';
import type { Status } from '../../controller/admin/status.ts';
import { duration } from '../../duration.ts';
import { serverNow } from '../call.ts';
import { ago, changedFiles, reasonOf } from '../format.ts';
import { type Model, type Release, standbyRelease } from '../model.ts';
import { useHiding } from './hiding.ts';
import { SLOTS } from './slots.ts';

interface Props {
  model: Model;
  status: Status;
  onRollback(): void;
  onRelease(id: string): void;
}

/** The kept releases, newest first, with a way back to each. */
export function Releases({ model, status, onRollback, onRelease }: Props) {
  const hasNoStandby = standbyRelease(status) === null;
  const rollback = useHiding<HTMLButtonElement>(hasNoStandby, 'releases-title');
  return html`
    <section class="panel" aria-labelledby="releases-title">
      <header class="head">
        <h2 id="releases-title" tabindex="-1">Releases</h2>
        <button ref=${rollback} id="rollback" type="button" hidden=${hasNoStandby} onClick=${onRollback}>Roll back</button>
      </header>
      <ul id="releases" class="list">
        ${model.releases.map(
          (release) => html`
            <${ReleaseItem} key=${release.id} release=${release} tags=${tagsOf(release.id, status, model)}
              isLive=${status.slots[status.active].release === release.id} onRelease=${onRelease} />
          `,
        )}
      </ul>
      <p id="releases-none" class="quiet" hidden=${model.releases.length > 0}>No release is kept yet.</p>
    </section>
  `;
}

function tagsOf(id: string, status: Status, { history }: Model): string[] {
  const isLive = status.slots[status.active].release === id;
  const slots = SLOTS.filter((slot) => status.slots[slot].release === id);
  const latest = history.findLast((entry) => entry.release === id);
  return [
    ...(isLive ? ['live'] : []),
    ...slots.map((slot) => `on ${slot}`),
    ...(latest?.outcome === 'failed' ? [`failed in ${latest.stage}`] : []),
  ];
}

interface ItemProps {
  release: Release;
  tags: string[];
  isLive: boolean;
  onRelease(id: string): void;
}

function ReleaseItem({ release, tags, isLive, onRelease }: ItemProps) {
  const { id, createdAt, buildMs, commit } = release;
  const button = useHiding<HTMLButtonElement>(isLive, 'releases-title');
  const why = changedFiles(release.changed) || reasonOf(release.trigger);
  const from = commit ? ` · ${commit.slice(0, 7)}` : '';
  const about = `${why} · ${ago(createdAt, serverNow())} · built in ${duration(buildMs)}${from}`;
  return html`
    <li>
      <div class="what">
        <p class="line">
          <span class="release">${id}</span>
          <span class="tags">${tags.map((tag) => html`<span key=${tag} class=${`tag ${kindOf(tag)}`}>${tag}</span>`)}</span>
        </p>
        <p class="quiet">${about}</p>
      </div>
      <button ref=${button} type="button" class="small" aria-label=${`Make ${id} live`} hidden=${isLive}
        onClick=${() => onRelease(id)}>Make live</button>
    </li>
  `;
}

function kindOf(tag: string): string {
  return tag.startsWith('failed') ? 'failed' : tag.replace('on ', '');
}

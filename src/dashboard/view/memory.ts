import { html } from 'htm/preact';
import type { Status } from '../../controller/admin/status.ts';
import { serverNow } from '../call.ts';
import { amount, memory } from '../format.ts';
import type { Model } from '../model.ts';
import { hitRatio, spanOf } from '../traffic.ts';

/** The release cache of all workers: how much visitors get from it, and what it takes. */
export function Memory({ model, status }: { model: Model; status: Status }) {
  const { entries, bytes } = status.cache;
  const { end, spanMs } = spanOf(model.traffic, serverNow());
  const shown = model.traffic.filter(({ time }) => time > end - spanMs);
  return html`
    <section class="panel" aria-labelledby="memory-title">
      <header class="head">
        <h2 id="memory-title">Answers from memory</h2>
        <p class="quiet">last ${spanMs / 60_000} min</p>
      </header>
      <dl id="memory-facts" class="facts">
        <div><dt>hit ratio</dt><dd>${hitRatio(shown)}</dd></div>
        <div><dt>answers kept</dt><dd>${amount(entries)}</dd></div>
        <div><dt>memory</dt><dd>${memory(bytes)}</dd></div>
      </dl>
    </section>
  `;
}

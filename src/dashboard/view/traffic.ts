import { html } from 'htm/preact';
import { serverNow } from '../call.ts';
import type { Model } from '../model.ts';
import { flipTimes, recent, spanOf } from '../traffic.ts';
import { Chart } from './chart.ts';

/** Requests and their answers, in figures and as a chart. */
export function Traffic({ model: { traffic: points, history } }: { model: Model }) {
  const { rate, p50, p99, errors } = recent(points);
  const { end, spanMs } = spanOf(points, serverNow());
  const flips = flipTimes(history).filter((time) => time > end - spanMs && time <= end);
  const label = `${rate} requests per second, median ${p50}, slowest 1 percent ${p99}, errors: ${errors}`;
  return html`
    <section class="panel" aria-labelledby="traffic-title">
      <header class="head">
        <h2 id="traffic-title">Traffic</h2>
        <p id="traffic-span" class="quiet">last ${spanMs / 60_000} min</p>
      </header>
      <dl id="traffic-facts" class="facts">
        <div><dt>requests / s</dt><dd>${rate}</dd></div>
        <div><dt>median</dt><dd>${p50}</dd></div>
        <div><dt>slowest 1 %</dt><dd>${p99}</dd></div>
        <div><dt>errors</dt><dd data-state=${errors === 0 ? 'good' : 'bad'}>${errors === 0 ? 'none' : errors}</dd></div>
      </dl>
      <${Chart} points=${points} flips=${flips} end=${end} spanMs=${spanMs} label=${label} />
    </section>
  `;
}

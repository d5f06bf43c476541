/**
 * What visitors ask for and how it is answered, in figures and as a chart.
 *
 * @import { Model } from './app.js'
 */
import { drawChart } from './chart.js';
import { byId, el, setText } from './dom.js';
import { amount, latency } from './format.js';
import { flipTimes } from './history-view.js';

/**
 * One second; its latencies are 0 when nothing was answered in it.
 *
 * @typedef {{ time: number, requests: number, errors: number, p50Ms: number, p99Ms: number }} Point
 */

/** How far back the chart goes: a controller that has just started fills the shortest, in milliseconds. */
const SPANS_MS = [60_000, 120_000, 300_000];

/** What "now" means in the figures beside the chart: one second alone jumps too much, in points. */
const RECENT = 10;

/** @type {Record<string, HTMLElement>} */
const facts = {};

/** @param {Model} model */
export function renderTraffic({ traffic: points, history, now }) {
  const end = points.at(-1)?.time ?? now();
  const age = end - (points[0]?.time ?? end);
  const spanMs = SPANS_MS.find((span) => span >= age) ?? 300_000;
  const label = showFacts(points);
  setText(byId('traffic-span'), `last ${spanMs / 60_000} min`);
  const flips = flipTimes(history).filter((time) => time > end - spanMs && time <= end);
  const box = byId('traffic-chart');
  const width = Math.max(240, box.clientWidth);
  box.replaceChildren(drawChart({ points, flips, end, spanMs, width, label }));
}

/** @param {Point[]} points */
export function recent(points) {
  const last = points.slice(-RECENT);
  const answered = last.filter(({ p50Ms }) => p50Ms > 0);
  const mean = (/** @type {number[]} */ values) =>
    values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  const ms = (/** @type {number | null} */ value) => (value === null ? '–' : latency(value));
  return {
    rate: amount(mean(last.map(({ requests }) => requests)) ?? 0),
    p50: ms(mean(answered.map(({ p50Ms }) => p50Ms))),
    p99: ms(answered.length > 0 ? Math.max(...answered.map(({ p99Ms }) => p99Ms)) : null),
    errors: points.reduce((sum, { errors }) => sum + errors, 0),
  };
}

/** @param {Point[]} points @returns {string} the same in words */
function showFacts(points) {
  const { rate, p50, p99, errors } = recent(points);
  const values = {
    'requests / s': rate,
    median: p50,
    'slowest 1 %': p99,
    errors: errors === 0 ? 'none' : String(errors),
  };
  for (const [name, value] of Object.entries(values)) {
    if (!facts[name]) {
      facts[name] = el('dd');
      byId('traffic-facts').append(el('div', {}, el('dt', {}, name), facts[name]));
    }
    setText(facts[name], value);
  }
  facts.errors?.setAttribute('data-state', errors === 0 ? 'good' : 'bad');
  return `${rate} requests per second, median ${p50}, slowest 1 percent ${p99}, errors: ${errors}`;
}

/**
 * Draws requests, errors and latency by hand, in two bands over one time axis.
 *
 * @import { Point } from './traffic-view.js'
 */
import { svg } from './dom.js';
import { amount, latency } from './format.js';

const LEFT = 54;
const RIGHT = 8;
const RATE = { top: 38, bottom: 128 };
const LATENCY = { top: 162, bottom: 226 };
const HEIGHT = 248;

/** A second that is missing for longer breaks the line, in milliseconds. */
const GAP_MS = 5000;

/**
 * @param {{ points: Point[], flips: number[], end: number, spanMs: number, width: number, label: string }} what
 */
export function drawChart({ points, flips, end, spanMs, width, label }) {
  const x = (/** @type {number} */ time) =>
    LEFT + (1 - (end - time) / spanMs) * (width - LEFT - RIGHT);
  const size = { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT };
  return svg(
    'svg',
    { ...size, role: 'img', 'aria-label': label },
    ...rateBand(points, x, width),
    ...latencyBand(points, x, width),
    ...timeAxis(end, spanMs, x),
    ...flips.map((time) => flipMark(x(time))),
  );
}

/** @param {Point[]} points @param {(time: number) => number} x @param {number} width */
function rateBand(points, x, width) {
  const top = niceCeiling(Math.max(5, ...points.map(({ requests }) => requests)));
  const y = scale(RATE, top);
  const line = path(points, x, ({ requests }) => y(requests));
  const [first, last] = [points[0], points.at(-1)];
  const area =
    first && last
      ? `${line} L${x(last.time)} ${RATE.bottom} L${x(first.time)} ${RATE.bottom} Z`
      : '';
  const errors = points.filter((point) => point.errors > 0);
  return [
    ...grid(RATE, top, width, (value) => amount(value)),
    svg('text', { x: LEFT, y: RATE.top - 8, class: 'band' }, 'requests per second'),
    svg('path', { d: area, class: 'area' }),
    svg('path', { d: line, class: 'rate' }),
    ...errors.map(({ time, errors: count }) =>
      errorMark(x(time), Math.min(y(count), RATE.bottom - 4)),
    ),
  ];
}

/** @param {Point[]} points @param {(time: number) => number} x @param {number} width */
function latencyBand(points, x, width) {
  const answered = points.filter(({ p50Ms }) => p50Ms > 0);
  const top = niceCeiling(Math.max(10, ...answered.map(({ p99Ms }) => p99Ms)));
  const y = scale(LATENCY, top);
  return [
    ...grid(LATENCY, top, width, (value) => (value === 0 ? '0' : latency(value))),
    svg(
      'text',
      { x: LEFT, y: LATENCY.top - 8, class: 'band' },
      'latency, from the median to the slowest 1 %',
    ),
    svg('path', { d: shade(answered, x, y), class: 'shade' }),
    svg('path', { d: path(answered, x, ({ p50Ms }) => y(p50Ms)), class: 'p50' }),
  ];
}

/**
 * A line that breaks where seconds are missing.
 *
 * @param {Point[]} points @param {(time: number) => number} x @param {(point: Point) => number} y
 */
function path(points, x, y) {
  let d = '';
  let before = Number.NEGATIVE_INFINITY;
  for (const point of points) {
    const joins = point.time - before < GAP_MS;
    // A second alone would be a line without length, which is not drawn.
    d += `${joins ? 'L' : 'M'}${x(point.time).toFixed(1)} ${y(point).toFixed(1)}${joins ? ' ' : ' h0.1 '}`;
    before = point.time;
  }
  return d;
}

/**
 * One bar a second from the median to the slowest: calmer than a second line.
 *
 * @param {Point[]} points @param {(time: number) => number} x @param {(ms: number) => number} y
 */
function shade(points, x, y) {
  const half = (x(1000) - x(0)) / 2;
  return points
    .map(({ time, p50Ms, p99Ms }) => {
      const [left, right] = [x(time) - half, x(time) + half].map((value) => value.toFixed(1));
      return `M${left} ${y(p50Ms)} V${y(p99Ms).toFixed(1)} H${right} V${y(p50Ms)} Z`;
    })
    .join('');
}

/** @param {{ top: number, bottom: number }} band @param {number} max */
function scale({ top, bottom }, max) {
  return (/** @type {number} */ value) => bottom - (value / max) * (bottom - top);
}

/**
 * @param {{ top: number, bottom: number }} band @param {number} max @param {number} width
 * @param {(value: number) => string} label
 */
function grid(band, max, width, label) {
  const y = scale(band, max);
  return [0, max / 2, max].flatMap((value) => [
    svg('line', {
      x1: LEFT,
      x2: width - RIGHT,
      y1: y(value),
      y2: y(value),
      class: value === 0 ? 'base' : 'grid',
    }),
    svg(
      'text',
      { x: LEFT - 6, y: y(value) + 4, class: 'tick', 'text-anchor': 'end' },
      label(value),
    ),
  ]);
}

/** @param {number} end @param {number} spanMs @param {(time: number) => number} x */
function timeAxis(end, spanMs, x) {
  const y = LATENCY.bottom + 16;
  const minutes = spanMs / 60_000;
  const inner = Array.from({ length: minutes - 1 }, (_, index) => index + 1);
  return [
    svg('text', { x: LEFT, y, class: 'tick' }, `${minutes} min`),
    ...inner.map((ago) =>
      svg(
        'text',
        { x: x(end - ago * 60_000), y, class: 'tick', 'text-anchor': 'middle' },
        `${ago}`,
      ),
    ),
    svg('text', { x: x(end), y, class: 'tick', 'text-anchor': 'end' }, 'now'),
  ];
}

/** A triangle, so that it is no matter of colour. @param {number} x @param {number} y */
function errorMark(x, y) {
  const mark = svg('path', { d: `M${x} ${y - 6} l5 9 h-10 Z`, class: 'error' });
  mark.append(svg('title', {}, 'errors'));
  return mark;
}

/** @param {number} x */
function flipMark(x) {
  return svg(
    'g',
    { class: 'flip' },
    svg('line', { x1: x, x2: x, y1: 14, y2: LATENCY.bottom }),
    svg('text', { x, y: 10, 'text-anchor': x > LEFT + 20 ? 'middle' : 'start' }, 'flip'),
  );
}

/** @param {number} value the next of 1, 2, 4, 6, 8, 10, 20 … */
function niceCeiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 6, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}

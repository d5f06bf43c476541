/** The two bands of the chart, as uPlot wants them. Colours are read at each drawing, for they follow the system's. */
import uPlot from 'uplot';
import { amount, latency } from '../format.ts';
import { columns, lonely, niceCeiling, type Point } from '../traffic.ts';
import { colour } from './colour.ts';
import { drawErrors, drawFlips, drawTitle } from './marks.ts';

/** Width of the space for the values' axis, in pixels. */
const LEFT = 54;

const FONT = '11.5px system-ui, sans-serif';

export interface Band {
  plot(at: HTMLElement, width: number): uPlot;
  data(): uPlot.AlignedData;
}

export interface Shown {
  points: Point[];
  /** Milliseconds since 1970, as `end` is. */
  flips: number[];
  end: number;
  spanMs: number;
}

/** The bands to be shown at the moment. */
type Read = () => Shown;

const accent = () => colour('--accent');
const wash = () => `color-mix(in srgb, ${colour('--accent')} 13%, transparent)`;

export function rateBand(read: Read): Band {
  const data = () => columns(read().points, [({ requests }) => requests]);
  return {
    data,
    plot: (at, width) =>
      new uPlot(
        {
          ...frame(width, { height: 136, top: 34, bottom: 8 }),
          scales: scales(read, 5),
          axes: [{ show: false }, valueAxis(amount)],
          series: [{}, { ...line, fill: wash }],
          hooks: {
            draw: [
              (plot) => drawTitle(plot, 'requests per second'),
              (plot) => drawErrors(plot, read().points),
              (plot) => drawFlips(plot, read().flips, { named: true }),
            ],
          },
        },
        data(),
        at,
      ),
  };
}

export function latencyBand(read: Read): Band {
  const data = () => {
    const answered = read().points.filter(({ p50Ms }) => p50Ms > 0);
    return columns(answered, [({ p50Ms }) => p50Ms, ({ p99Ms }) => p99Ms]);
  };
  return {
    data,
    plot: (at, width) =>
      new uPlot(
        {
          ...frame(width, { height: 112, top: 24, bottom: 0 }),
          scales: scales(read, 10),
          axes: [timeAxis(read), valueAxis((value) => (value === 0 ? '0' : latency(value)))],
          series: [{}, line, { ...line, stroke: 'transparent' }],
          // From the median to the slowest: calmer than a second line.
          bands: [{ series: [2, 1], fill: wash as unknown as string }],
          hooks: {
            draw: [
              (plot) => drawTitle(plot, 'latency, from the median to the slowest 1 %'),
              (plot) => drawFlips(plot, read().flips, { named: false }),
            ],
          },
        },
        data(),
        at,
      ),
  };
}

const line: uPlot.Series = {
  stroke: accent,
  width: 1.75,
  points: { show: true, size: 2, filter: (plot, series) => lonely(plot.data[series] ?? []) },
};

interface Size {
  height: number;
  top: number;
  bottom: number;
}

function frame(width: number, { height, top, bottom }: Size) {
  return {
    width,
    height,
    padding: [top, 14, bottom, 0] as uPlot.Padding,
    ms: 1 as const,
    legend: { show: false },
    cursor: { show: false },
  };
}

function scales(read: Read, leastTop: number): uPlot.Scales {
  return {
    x: {
      range: () => {
        const { end, spanMs } = read();
        return [end - spanMs, end];
      },
    },
    y: { range: (_plot, _min, max) => [0, niceCeiling(Math.max(leastTop, max ?? 0))] },
  };
}

function valueAxis(word: (value: number) => string): uPlot.Axis {
  return {
    size: LEFT,
    gap: 6,
    font: FONT,
    stroke: () => colour('--soft'),
    grid: { stroke: () => colour('--line'), width: 1 },
    ticks: { show: false },
    splits: (plot) => {
      const { max = 1 } = plot.scales.y ?? {};
      return [0, (max ?? 1) / 2, max ?? 1];
    },
    values: (_plot, splits) => splits.map(word),
  };
}

function timeAxis(read: Read): uPlot.Axis {
  return {
    size: 22,
    gap: 6,
    font: FONT,
    stroke: () => colour('--soft'),
    grid: { show: false },
    ticks: { show: false },
    splits: () => {
      const { end, spanMs } = read();
      return Array.from(
        { length: spanMs / 60_000 + 1 },
        (_, minutes) => end - minutes * 60_000,
      ).reverse();
    },
    values: (_plot, splits) => {
      const { end } = read();
      return splits.map((time) =>
        time === end ? 'now' : `${Math.round((end - time) / 60_000)} min`,
      );
    },
  };
}

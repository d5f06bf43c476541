import { html } from 'htm/preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { type Band, latencyBand, rateBand, type Shown } from './bands.ts';

interface Props extends Shown {
  /** The same in words: a canvas says nothing to who does not see it. */
  label: string;
}

/** Requests and errors above, latency below, over one time axis. */
export function Chart(props: Props) {
  const { points, flips, end, spanMs, label } = props;
  const box = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  const bands = useRef<{ band: Band; plot: uPlot }[]>([]);
  latest.current = props;

  useLayoutEffect(() => {
    const at = box.current as HTMLDivElement;
    const width = () => Math.max(240, at.clientWidth);
    bands.current = [rateBand, latencyBand].map((create) => {
      const band = create(() => latest.current);
      return { band, plot: band.plot(at, width()) };
    });
    const resize = new ResizeObserver(() => {
      for (const { plot } of bands.current) plot.setSize({ width: width(), height: plot.height });
    });
    resize.observe(at);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const repaint = () => {
      for (const { plot } of bands.current) plot.redraw();
    };
    scheme.addEventListener('change', repaint);
    return () => {
      resize.disconnect();
      scheme.removeEventListener('change', repaint);
      for (const { plot } of bands.current) plot.destroy();
    };
  }, []);
  useLayoutEffect(() => {
    for (const { band, plot } of bands.current) plot.setData(band.data());
  }, [points, flips.join(), end, spanMs]);

  return html`<div ref=${box} id="traffic-chart" class="chart" role="img" aria-label=${label} data-points=${points.length}></div>`;
}

/**
 * Marks that uPlot lacks: a band's title, the flips and the errors. Drawn on its canvas, in its pixels; each
 * restores the canvas's state, since uPlot sets only what it knows to have changed.
 */
import uPlot from 'uplot';
import type { Point } from '../traffic.ts';
import { colour } from './colour.ts';

export function drawTitle(plot: uPlot, title: string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  write(ctx);
  ctx.textAlign = 'left';
  ctx.fillText(title, bbox.left, bbox.top - 8 * uPlot.pxRatio);
  ctx.restore();
}

/** A dashed line over the whole height, with its name on top. */
export function drawFlips(plot: uPlot, flips: number[], { named }: { named: boolean }): void {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  ctx.save();
  write(ctx);
  ctx.strokeStyle = colour('--soft');
  ctx.lineWidth = ratio;
  ctx.setLineDash([2 * ratio, 3 * ratio]);
  for (const flip of flips) {
    const x = Math.round(plot.valToPos(flip, 'x', true)) + 0.5;
    ctx.beginPath();
    ctx.moveTo(x, named ? 14 * ratio : 0);
    ctx.lineTo(x, named ? ctx.canvas.height : bbox.top + bbox.height);
    ctx.stroke();
    ctx.textAlign = x > bbox.left + 20 * ratio ? 'center' : 'left';
    if (named) ctx.fillText('flip', x, 10 * ratio);
  }
  ctx.restore();
}

/** A triangle, so that it is no matter of colour. */
export function drawErrors(plot: uPlot, points: Point[]): void {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.fillStyle = colour('--bad');
  for (const { time, errors } of points) {
    if (errors === 0) continue;
    const x = plot.valToPos(time, 'x', true);
    const y = Math.min(plot.valToPos(errors, 'y', true), bbox.top + bbox.height - 4 * ratio);
    ctx.beginPath();
    ctx.moveTo(x, y - 6 * ratio);
    ctx.lineTo(x + 5 * ratio, y + 3 * ratio);
    ctx.lineTo(x - 5 * ratio, y + 3 * ratio);
    ctx.fill();
  }
  ctx.restore();
}

function write(ctx: CanvasRenderingContext2D): void {
  ctx.font = `${11.5 * uPlot.pxRatio}px system-ui, sans-serif`;
  ctx.textBaseline = 'alphabetic';
  ctx.fillStyle = colour('--soft');
}

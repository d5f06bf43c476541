import { setTimeout as delay } from 'node:timers/promises';
import { createLogUpdate } from 'log-update';
import type { Status } from '../../controller/admin/status.ts';
import { duration } from '../../duration.ts';
import { SlotsError } from '../../errors.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { callController, followController } from '../client.ts';
import { wrapLines } from '../terminal/format.ts';
import { style } from '../terminal/style.ts';
import { renderStatus } from './render.ts';

/** Times and memory change without an event, and are shown anew so often. */
const REFRESH_MS = 1000;

const CLEAR_SCREEN = '\x1b[2J\x1b[H';

/** How soon a controller that went away is looked for again, in milliseconds. */
const RETRY_MS = 500;

type Terminal = Pick<NodeJS.WriteStream, 'columns' | 'rows'>;

interface View {
  /** `awayMs`: how long the controller has been away; 0 while it answers. */
  show(status: Status, awayMs: number): void;
}

/**
 * Shows each change until Ctrl-C. A controller that goes away is waited for: it is restarted now and then,
 * and visitors do not notice.
 *
 * @throws SlotsError `CONTROLLER_UNREACHABLE` when none answers at the start
 */
export async function watchStatus(paths: SitePaths, json: boolean): Promise<void> {
  if (process.stdout.isTTY && !json) await watchInPlace(paths);
  else await follow(paths, lines(json), () => {});
}

/** A block for each change, or a line of JSON. */
function lines(json: boolean): View {
  let wasAway = false;
  return {
    show(status, awayMs) {
      const isAway = awayMs > 0;
      if (!isAway && json) console.log(JSON.stringify(status));
      else if (!isAway) console.log(`${renderStatus(status)}\n`);
      else if (!wasAway) console.error('the controller is away; waiting for it');
      wasAway = isAway;
    },
  };
}

async function watchInPlace(paths: SitePaths): Promise<void> {
  const { stdout } = process;
  // Asked first, so that a message about an unreachable controller is no part of the picture.
  await callController<Status>(paths, 'GET', '/api/status');
  const update = createLogUpdate(stdout);
  const leave = () => process.exit(0);
  process.on('exit', update.done);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, leave);
  let redraw = () => {};
  stdout.on('resize', () => {
    // The terminal has wrapped the old picture anew, and nobody knows where it is now.
    update.done();
    stdout.write(CLEAR_SCREEN);
    redraw();
  });
  const view: View = {
    show(status, awayMs) {
      redraw = () => update(topLines(picture(status, awayMs, stdout.columns), stdout));
      redraw();
    },
  };
  await follow(paths, view, (refresh) => void repeat(refresh));
}

/** Cuts the picture to the terminal from the top on; log-update itself would keep the end. */
export function topLines(text: string, { columns, rows }: Terminal): string {
  return wrapLines(text, columns)
    .slice(0, rows - 1)
    .join('\n');
}

export function picture(status: Status, awayMs: number, columns: number): string {
  const shown = renderStatus(status, columns);
  if (awayMs === 0) return shown;
  const note = `controller away for ${duration(awayMs)}; visitors are served without it`;
  return `${shown}\n\n${style('yellow', note)}`;
}

async function repeat(refresh: () => Promise<void>): Promise<never> {
  for (;;) {
    await delay(REFRESH_MS);
    await refresh();
  }
}

/** @param onFirst gets a function that looks at the status without an event */
async function follow(
  paths: SitePaths,
  view: View,
  onFirst: (refresh: () => Promise<void>) => void,
): Promise<never> {
  let current: Status | null = null;
  let goneAt: number | null = null;
  const show = () => {
    if (current) view.show(current, goneAt === null ? 0 : Math.max(1, performance.now() - goneAt));
  };
  const refresh = async () => {
    if (goneAt === null) {
      current = await callController<Status>(paths, 'GET', '/api/status').catch(() => current);
    }
    show();
  };
  for (;;) {
    try {
      for await (const event of followController(paths)) {
        if (event.type !== 'status') continue;
        if (current === null) onFirst(refresh);
        current = event.status;
        goneAt = null;
        show();
      }
    } catch (error) {
      if (current === null || !isUnreachable(error)) throw error;
      goneAt ??= performance.now();
      show();
    }
    await delay(RETRY_MS);
  }
}

function isUnreachable(error: unknown): boolean {
  return error instanceof SlotsError && error.code === 'CONTROLLER_UNREACHABLE';
}

import type { ControllerEvent } from '../../controller/admin/api.ts';
import type { Status } from '../../controller/admin/status.ts';
import { duration } from '../../duration.ts';
import { style } from './style.ts';

const REDRAW_MS = 100;

/** Off a terminal, how often a stage that goes on says so, in milliseconds: CI ends a job that is silent. */
const REPEAT_MS = 15_000;

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** Shows a running promotion: one line in place on a terminal; elsewhere one per stage, and one each 15 s. */
export interface Progress {
  show(event: ControllerEvent): void;
  /** Says something of its own, for instance what is waited for. */
  say(text: string): void;
  end(): void;
}

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const { isTTY } = stream;
  const started = performance.now();
  let stage = 'waiting for the controller';
  let line = '';
  let frame = 0;

  const draw = () => {
    frame++;
    const spinner = SPINNER[frame % SPINNER.length];
    const elapsed = duration(performance.now() - started);
    const room = (stream.columns ?? 80) - stage.length - elapsed.length - 8;
    const tail = line.slice(0, Math.max(0, room));
    stream.write(`\r\x1b[K${spinner} ${stage} ${elapsed}  ${style('dim', tail)}`);
  };
  const repeat = () => {
    const elapsed = duration(performance.now() - started);
    stream.write(`${stage}, ${elapsed}${line && `: ${line}`}\n`);
  };
  const timer = setInterval(isTTY ? draw : repeat, isTTY ? REDRAW_MS : REPEAT_MS);

  const enter = (next: string) => {
    if (next === stage) return;
    stage = next;
    line = '';
    if (!isTTY) stream.write(`${next}\n`);
  };

  return {
    show(event) {
      if (event.type === 'build-line') line = event.line;
      else if (event.status.promotion) enter(describe(event.status.promotion));
    },
    say: enter,
    end() {
      clearInterval(timer);
      if (isTTY) stream.write('\r\x1b[K');
    },
  };
}

function describe({ stage, release }: NonNullable<Status['promotion']>): string {
  return release ? `${stage} ${release}` : stage;
}

import pretty from 'pino-pretty';
import type { AppRole } from '../../config/ecosystem.ts';
import { plainText } from '../../plain-text.ts';
import { style } from './style.ts';

const ROLE_STYLES = {
  proxy: 'magenta',
  watcher: 'yellow',
  blue: 'blue',
  green: 'green',
} as const;

export const LOG_ROLES = Object.keys(ROLE_STYLES) as AppRole[];

const ROLE_WIDTH = Math.max(...LOG_ROLES.map((role) => role.length));

const LEVEL_STYLES: Record<string, 'yellow' | 'red'> = {
  WARN: 'yellow',
  ERROR: 'red',
  FATAL: 'red',
};

/** Colours are ours: pino-pretty looks neither at `NO_COLOR` nor at `FORCE_COLOR`. */
const prettify = pretty.prettyFactory({
  colorize: false,
  singleLine: true,
  hideObject: true,
  ignore: 'pid,name,hostname',
  translateTime: 'SYS:HH:MM:ss',
  messageFormat: (line: Record<string, unknown>, messageKey) => {
    const text = line[messageKey] ?? line.error ?? plainText(withoutMessage(line));
    const message = [text, line.hint].filter(Boolean).join('; ');
    return line.event ? `${message}  (${line.event})` : message;
  },
});

/** Fields that every line has, or that are shown apart. */
const COMMON = ['level', 'time', 'pid', 'name', 'hostname', 'event', 'hint', 'v'];

/** A line without a message says what it is about in its fields. */
function withoutMessage(line: Record<string, unknown>): string {
  if (line.event === 'request') return requestText(line);
  return Object.entries(line)
    .filter(([key]) => !COMMON.includes(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}

/** A line of the access log: `GET /a 200 3.1 ms blue 192.0.2.7`, and whether its visitor left before the end. */
function requestText({ method, path, status, ms, slot, peer, aborted }: Record<string, unknown>) {
  const words = [method, path, status, `${ms} ms`, slot, peer, aborted && 'aborted'];
  return words.filter(Boolean).join(' ');
}

/** Our own lines are JSON and get readable; the site's are passed on as they are. */
export function formatLine(role: AppRole, line: string): string {
  const text = line.startsWith('{"level"') ? formatOwn(line) : line;
  return `${style(ROLE_STYLES[role], role.padEnd(ROLE_WIDTH))} ${text}`;
}

/** `[12:00:00] WARN: what happened  (its.event)`, warnings and errors in their colours. */
function formatOwn(line: string): string {
  const text = prettify(line).trimEnd();
  const [, time, level = '', message = '', event = ''] =
    /^(\[[\d:]+\]) (\w+): (.*?)((?: {2}\([\w.-]+\))?)$/s.exec(text) ?? [];
  if (!time) return text;
  const colour = LEVEL_STYLES[level];
  const said = colour ? style(colour, `${level}: ${message}`) : `${level}: ${message}`;
  return `${style('dim', time)} ${said}${style('dim', event)}`;
}

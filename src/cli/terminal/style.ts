import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Colour on a terminal only; `NO_COLOR` and `FORCE_COLOR` are respected (util.styleText looks at both). */
export function style(format: Format, text: string): string {
  return styleText(format, text, { stream: process.stdout });
}

/** The same for what goes to standard error. */
export function styleError(format: Format, text: string): string {
  return styleText(format, text, { stream: process.stderr });
}

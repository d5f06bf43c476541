/** A change that `slots init` proposes to one file of the site. */
export interface Change {
  /** Relative to the site. */
  path: string;
  /** The whole file as it is to be. */
  text: string;
  /** `replaces` takes something away that somebody wrote, so it is asked about. */
  effect: 'new' | 'adds' | 'replaces' | 'same';
  /** For people, for instance which lines are added. */
  what: string;
}

/** A file that is ours as a whole. */
export function wholeFile(path: string, before: string | null, text: string, what: string): Change {
  const effect = before === null ? 'new' : before === text ? 'same' : 'replaces';
  return { path, text, effect, what };
}

/** The line end that a text uses, for what is added to it. */
export function lineEndOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

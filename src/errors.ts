import { plainText } from './plain-text.ts';

/**
 * An error that a user can act on. `message` names what was wrong and where; `hint` says what to do.
 * Everything else that is thrown is a bug of ours and keeps its stack trace.
 */
export class SlotsError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'SlotsError';
    this.code = code;
    this.hint = options.hint;
  }
}

/** In one line, as everything that is shown in `status` has to be. */
export function messageOf(error: unknown): string {
  return plainText(error instanceof Error ? error.message : String(error));
}

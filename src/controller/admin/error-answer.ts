import { z } from 'zod';
import { ERROR_CODES, type ErrorCode, SlotsError } from '../../errors.ts';

/** The body of every answer that is not 200. */
export const errorAnswer = z
  .strictObject({
    error: z.strictObject({
      code: z.enum(Object.keys(ERROR_CODES) as ErrorCode[]),
      message: z.string(),
      hint: z.string().optional().describe('what to do about it'),
    }),
  })
  .meta({ id: 'Error' });

/** 409 for what is not among them: it cannot be done now. */
export const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NO_SUCH_CALL: 404,
  RELEASE_UNKNOWN: 404,
  NO_BUILD: 404,
  BODY_TOO_LARGE: 413,
  TOO_MANY_CALLS: 429,
  UNEXPECTED: 500,
};

/** A `SlotsError` goes out whole; of any other error, a bug of ours, only the message does. */
export function toErrorAnswer(error: Error): { status: number; body: z.input<typeof errorAnswer> } {
  const { code, message, hint } = toSlotsError(error);
  return { status: STATUS_OF[code] ?? 409, body: { error: { code, message, hint } } };
}

function toSlotsError(error: Error & { statusCode?: number }): SlotsError {
  if (error instanceof SlotsError) return error;
  // Fastify's own refusals, for instance of a Content-Type that is none.
  const isCallers = error.statusCode !== undefined && error.statusCode < 500;
  return new SlotsError(isCallers ? 'BAD_REQUEST' : 'UNEXPECTED', error.message);
}

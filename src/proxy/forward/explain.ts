import { wasInvalid, wasRefused, wasTimeout } from '../slot/failure.ts';
import {
  BAD_GATEWAY,
  BAD_REQUEST,
  BODY_TOO_LARGE,
  type ErrorAnswer,
  GATEWAY_TIMEOUT,
  REQUEST_TIMEOUT,
  UNAVAILABLE,
} from '../visitor/error-answer.ts';
import { BodyLengthWrong, BodyStalled, BodyTooLarge } from './upload.ts';

/** The answer to a request that failed by the visitor's own doing; `null` for any other failure. */
export function explainVisitorFault(error: Error): ErrorAnswer | null {
  if (error instanceof BodyTooLarge) return BODY_TOO_LARGE;
  if (error instanceof BodyStalled) return REQUEST_TIMEOUT;
  return wasInvalid(error) || error instanceof BodyLengthWrong ? BAD_REQUEST : null;
}

/** The answer to a request that the slot failed. */
export function explainSlotFault(error: Error): ErrorAnswer {
  if (wasRefused(error)) return UNAVAILABLE;
  return wasTimeout(error) ? GATEWAY_TIMEOUT : BAD_GATEWAY;
}

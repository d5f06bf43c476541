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

/** What a visitor is told about a request that failed by its own doing; `null` when it did not. */
export function explainVisitorFault(error: Error): ErrorAnswer | null {
  if (error instanceof BodyTooLarge) return BODY_TOO_LARGE;
  if (error instanceof BodyStalled) return REQUEST_TIMEOUT;
  return wasInvalid(error) || error instanceof BodyLengthWrong ? BAD_REQUEST : null;
}

/** What a visitor is told when the slot failed. */
export function explainSlotFault(error: Error): ErrorAnswer {
  if (wasRefused(error)) return UNAVAILABLE;
  return wasTimeout(error) ? GATEWAY_TIMEOUT : BAD_GATEWAY;
}

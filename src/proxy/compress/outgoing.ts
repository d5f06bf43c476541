/** What becomes of an answer's head on its way to the visitor. Pure. */
import { fieldValue, withoutFields } from '../cache/fields.ts';
import type { Coding, CodingChoice } from './codings.ts';
import { isCompressible } from './compressible.ts';
import { asksWithWeakened, encodedFields, weaken, withVary } from './fields.ts';

export interface AnswerToCompress {
  method: string;
  /** Of the visitor, name and value in turn. */
  requestFields: readonly string[];
  status: number;
  /** As the visitor would get them. */
  fields: string[];
  /** Of the body in bytes, or -1 when it is not known. */
  length: number;
}

export type Outgoing =
  | { how: 'plain'; fields: string[] }
  | { how: 'encoded'; coding: Coding; fields: string[] }
  /** The site compares tags strongly, and has sent anew what the visitor has: its body goes nowhere. */
  | { how: 'not-modified'; fields: string[] };

const OF_BODY: ReadonlySet<string> = new Set([
  'content-type',
  'content-language',
  'content-length',
  'accept-ranges',
  'trailer',
]);

/** @param canEncode whether there is memory for it */
export function outgoing(
  { method, requestFields, status, fields, length }: AnswerToCompress,
  choose: CodingChoice,
  canEncode: (coding: Coding) => boolean,
): Outgoing {
  if (status === 304 && asksWithWeakened(requestFields, fields)) return unchanged('plain', fields);
  if (!isCompressible(status, fields, length)) return { how: 'plain', fields };
  const asksIfNew = status === 200 && (method === 'GET' || method === 'HEAD');
  if (asksIfNew && asksWithWeakened(requestFields, fields)) {
    return unchanged('not-modified', withoutFields(fields, OF_BODY));
  }
  const varying = withVary(fields);
  const coding = choose(fieldValue(requestFields, 'accept-encoding'));
  if (coding === null || !canEncode(coding)) return { how: 'plain', fields: varying };
  return { how: 'encoded', coding, fields: encodedFields(varying, coding) };
}

/** RFC 9111 §4.3.4: only with the tag that it has does a visitor's cache know which of its answers is meant. */
function unchanged(how: 'plain' | 'not-modified', fields: readonly string[]): Outgoing {
  const varying = withVary(fields);
  weaken(varying);
  return { how, fields: varying };
}

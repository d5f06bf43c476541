/** Which of several answers of one URL a request gets (RFC 9111 §4.1). Pure. */
import { fieldValue } from './fields.ts';

/** The request's fields that an answer was chosen by: lower-case name, and what the request had there. */
export type VaryingBy = readonly (readonly [name: string, value: string])[];

/** The names that an answer's `Vary` lists, lower-case, each once. */
export function varyNames(fields: readonly string[]): string[] {
  const listed = (fieldValue(fields, 'vary') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase());
  return [...new Set(listed.filter((name) => name !== ''))];
}

/** @param names as `varyNames` gives them */
export function varyingBy(names: readonly string[], requestFields: readonly string[]): VaryingBy {
  return names.map((name) => [name, normalised(name, fieldValue(requestFields, name))] as const);
}

export function isChosenBy(by: VaryingBy, requestFields: readonly string[]): boolean {
  return by.every(([name, value]) => normalised(name, fieldValue(requestFields, name)) === value);
}

/**
 * RFC 9111 §4.1 allows what the field's own meaning allows: white space around list members, and for `Accept-Encoding`
 * order and weights, since each browser's wording would make a variant of its own. A missing field is not an empty one
 * (RFC 9110 §12.5.3).
 */
function normalised(name: string, value: string | undefined): string {
  if (value === undefined) return '\u0000';
  const members = value.split(',').map((member) => member.trim());
  if (name !== 'accept-encoding') return members.join(',');
  return members
    .map((member) => member.toLowerCase().replace(/\s*;\s*q=(?!0(\.0*)?$)[\d.]+$/, ''))
    .sort()
    .join(',');
}

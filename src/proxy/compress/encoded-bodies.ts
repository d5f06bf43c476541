/**
 * What has been made of stored bodies. By the body itself: an answer that the site has confirmed gets new fields, and keeps
 * its body.
 */
import type { Coding } from './codings.ts';

/** `null`: it would be no smaller. */
type Encoded = Map<Coding, Buffer | null>;

const made = new WeakMap<Buffer, Encoded>();

/** @returns `undefined` as long as there is none */
export function encodedBody(body: Buffer, coding: Coding): Buffer | null | undefined {
  return made.get(body)?.get(coding);
}

export function keepEncoded(body: Buffer, coding: Coding, bytes: Buffer | null): void {
  const known = made.get(body) ?? new Map();
  known.set(coding, bytes);
  made.set(body, known);
}

/** The bodies that have been made of one. */
export function encodedBodies(body: Buffer): Buffer[] {
  return [...(made.get(body)?.values() ?? [])].filter((bytes) => bytes !== null);
}

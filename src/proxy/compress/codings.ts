/** Which coding a visitor gets (RFC 9110 §12.5.3). Pure. */
import { rememberSome } from '../remember.ts';

/** A content coding that slots makes. */
export type Coding = 'zstd' | 'br' | 'gzip';

/**
 * The first of those that a visitor likes equally. zstd before br: at the levels for answers on the fly it gives
 * about the same size, for less than half of the time in large ones (bench/README.md, *Compression*). gzip is the largest.
 */
export const BY_PREFERENCE: readonly Coding[] = ['zstd', 'br', 'gzip'];

/** At the highest levels brotli is the smallest by 8 to 22 %, and the time is spent once (bench/README.md, *Compression*). */
export const BY_SIZE: readonly Coding[] = ['br', 'zstd', 'gzip'];

/** Who says `*` is rarely a browser: it can be relied on to know the oldest. */
const FOR_ANY: readonly Coding[] = ['gzip', 'br', 'zstd'];

export type CodingChoice = (acceptEncoding: string | undefined) => Coding | null;

/**
 * Remembers what it has found.
 *
 * @param available the codings that this Node has
 * @param order of those that a visitor likes equally
 */
export function createCodingChoice(
  available: ReadonlySet<Coding>,
  order: readonly Coding[] = BY_PREFERENCE,
): CodingChoice {
  const choose = rememberSome((value) => chooseCoding(value, available, order), 200, 128);
  return (value) => (value === undefined ? null : choose(value));
}

/** @returns `null` for an answer as it is, which every visitor gets in the end: 406 would help nobody */
export function chooseCoding(
  value: string,
  available: ReadonlySet<Coding>,
  order: readonly Coding[] = BY_PREFERENCE,
): Coding | null {
  const weights = weightsOf(value);
  const any = weights.get('*') ?? 0;
  const plain = weights.get('identity') ?? 0;
  const named = best(order, available, (coding) => weights.get(coding) ?? 0);
  const unnamed = best(FOR_ANY, available, (coding) => (weights.has(coding) ? 0 : any));
  const [coding, weight] = unnamed[1] > named[1] ? unnamed : named;
  return weight > 0 && weight >= plain ? coding : null;
}

function best(
  order: readonly Coding[],
  available: ReadonlySet<Coding>,
  weightOf: (coding: Coding) => number,
): [Coding | null, number] {
  let found: [Coding | null, number] = [null, 0];
  for (const coding of order) {
    const weight = available.has(coding) ? weightOf(coding) : 0;
    if (weight > found[1]) found = [coding, weight];
  }
  return found;
}

/** A member that is none says nothing. */
const MEMBER = /^([!#$%&'*+.^_`|~\w-]+)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i;

function weightsOf(value: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const member of value.split(',')) {
    const match = MEMBER.exec(member.trim());
    if (match === null) continue;
    const name = (match[1] as string).toLowerCase();
    // RFC 9110 §8.4.1.3: two names of one coding.
    weights.set(name === 'x-gzip' ? 'gzip' : name, match[2] === undefined ? 1 : Number(match[2]));
  }
  return weights;
}

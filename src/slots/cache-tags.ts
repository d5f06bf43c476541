/** Tags of stored answers: how a site's `Slots-Cache-Tag` is written and read, and how much of it is taken. Pure. */

/** In characters. */
export const LONGEST_TAG = 256;

/** Of one purge. */
export const MOST_PURGED = 100;

/** Of all tags of one answer, in characters; as Fastly's `Surrogate-Key`. */
const LONGEST_TAGS = 16_384;

/** A comma ends a tag, and a field has no more than visible ASCII (RFC 9110 §5.5). */
const NOT_PLAIN = /[^\x21-\x7e]|[,%]/gu;

/** Tags as the value of `Slots-Cache-Tag`: what a field cannot have is percent-encoded. */
export function writeTags(tags: readonly string[]): string {
  return tags.map((tag) => tag.toWellFormed().replace(NOT_PLAIN, encodeURIComponent)).join(', ');
}

/**
 * The tags of an answer, each once.
 *
 * @param ours value of `Slots-Cache-Tag`, percent-encoded
 * @param general value of `Cache-Tag`, which is read as it stands
 * @returns `null` where a tag cannot be read, is too long, or there are too many: a purge could not find all of them
 */
export function readTags(ours: string | undefined, general: string | undefined): string[] | null {
  if (ours === undefined && general === undefined) return [];
  if ((ours?.length ?? 0) + (general?.length ?? 0) > LONGEST_TAGS) return null;
  const decoded = membersOf(ours).map(decodedTag);
  const tags = new Set<string>(membersOf(general));
  for (const tag of decoded) {
    if (tag === null) return null;
    tags.add(tag);
  }
  const all = [...tags];
  return all.every(({ length }) => length <= LONGEST_TAG) ? all : null;
}

function membersOf(value: string | undefined): string[] {
  if (value === undefined) return [];
  return value
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
}

function decodedTag(member: string): string | null {
  if (!member.includes('%')) return member;
  try {
    return decodeURIComponent(member);
  } catch {
    return null;
  }
}

/**
 * Edits on several machines: pure. Each machine knows the files (path → digest) that it last had in common with the fleet; what
 * it has changed since is its own edit, and what the fleet has changed since is the others'.
 */

export type Files = Readonly<Record<string, string>>;

export interface Merge {
  /** Files of the fleet to write here: changed there only. */
  take: string[];
  /** Files to delete here: deleted there only. */
  drop: string[];
  /** Changed here only: an edit to promote. */
  keep: string[];
  /** Changed on both sides, and not in the same way. */
  conflicts: string[];
  /** What both have in common after it. A conflict's file stays as it was, so that it is found again. */
  base: Files;
}

/** @param base `null` where nobody knows what the two once had in common: then whatever differs is a conflict */
export function mergeSources(base: Files | null, theirs: Files, mine: Files): Merge {
  const merge = { take: [], drop: [], keep: [], conflicts: [] } as Record<string, string[]>;
  const common: Record<string, string> = {};
  const all = new Set([...Object.keys(base ?? {}), ...Object.keys(theirs), ...Object.keys(mine)]);
  for (const path of [...all].sort()) {
    const [was, there, here] = [base?.[path], theirs[path], mine[path]];
    const next = one(base === null, was, there, here);
    if (next !== 'same') merge[next]?.push(path);
    const kept = next === 'conflicts' ? was : there;
    if (kept !== undefined) common[path] = kept;
  }
  return { ...(merge as unknown as Omit<Merge, 'base'>), base: common };
}

type One = 'same' | 'take' | 'drop' | 'keep' | 'conflicts';

function one(isFirst: boolean, was?: string, there?: string, here?: string): One {
  if (there === here) return 'same';
  // A machine that has just joined with files of its own: what only one side has is no contradiction.
  if (isFirst) return there === undefined ? 'keep' : here === undefined ? 'take' : 'conflicts';
  if (here === was) return there === undefined ? 'drop' : 'take';
  return there === was ? 'keep' : 'conflicts';
}

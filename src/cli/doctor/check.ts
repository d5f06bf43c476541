/** How a check went: as it should be, to be looked at some time, or to be mended for the site to work. */
export type Level = 'ok' | 'warning' | 'problem';

/** One line of `slots doctor`. */
export interface Check {
  /** The subject of the check; stable, for programs. */
  name: string;
  level: Level;
  /** The finding. */
  message: string;
  /** The remedy. */
  hint?: string;
}

export function ok(name: string, message: string): Check {
  return { name, level: 'ok', message };
}

export function warning(name: string, message: string, hint?: string): Check {
  return { name, level: 'warning', message, hint };
}

export function problem(name: string, message: string, hint?: string): Check {
  return { name, level: 'problem', message, hint };
}

/** Checks that belong together, run in this order. */
export interface Group {
  title: string;
  checks: (() => Check[] | Promise<Check[]>)[];
}

export interface GroupResult {
  title: string;
  checks: Check[];
}

/** Runs every check; one that breaks is a problem of its own and stops no other. */
export async function runGroups(groups: readonly Group[]): Promise<GroupResult[]> {
  const results: GroupResult[] = [];
  for (const { title, checks } of groups) {
    const found: Check[] = [];
    for (const check of checks) {
      try {
        found.push(...(await check()));
      } catch (error) {
        found.push(problem(title, `could not be checked: ${(error as Error).message}`));
      }
    }
    results.push({ title, checks: found });
  }
  return results;
}

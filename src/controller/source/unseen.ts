/**
 * Can nobody see an edit whose build wrote what is live already? All that is known goes in as values.
 */
import type { SiteReads } from '../../slots/site-reads.ts';
import type { Trigger } from '../../slots/trigger.ts';

/** Orders that somebody gave by name are carried out whatever comes of them. */
const BY_ITSELF: ReadonlySet<Trigger> = new Set(['edit', 'start', 'resume']);

/** Node loads these, and SQLite opens them, on ways that are not all followed. */
const LOADED = /\.([cm]?[jt]sx?|json|node|wasm|db3?|sqlite3?)$/i;

/** More changes than these are not looked at one by one. */
const MAX_CHANGES = 1000;

/** A changed watched file by each of its names: as it is watched, and behind links. Absolute. */
export type ChangedFile = readonly string[];

export interface Edited {
  trigger: Trigger;
  /** What differs from the source of the active release; `null` when that is not known. */
  changed: readonly ChangedFile[] | null;
  /** What the active slot's processes have read. */
  reads: SiteReads;
  /** Those processes. */
  pids: readonly number[];
  /** Files with variables, which each process reads at its start. Absolute. */
  envFiles: readonly string[];
  /** Whether Node is started with flags of the site's, which may load anything before us. */
  hasNodeArgs: boolean;
}

/** Whether a release may be left unmade whose output equals the active one's. */
export function mayDrop(edited: Edited): boolean {
  const { trigger, changed, reads, pids, envFiles, hasNodeArgs } = edited;
  if (!BY_ITSELF.has(trigger) || hasNodeArgs) return false;
  if (changed === null || changed.length > MAX_CHANGES) return false;
  if (reads.unknown !== null || pids.length === 0) return false;
  if (!pids.every((pid) => reads.pids.has(pid))) return false;
  return !changed.flat().some((path) => {
    if (LOADED.test(path) || envFiles.includes(path) || reads.files.has(path)) return true;
    return foldersAbove(path).some((folder) => reads.folders.has(folder));
  });
}

function foldersAbove(path: string): string[] {
  const found: string[] = [];
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    found.push(path.slice(0, end));
  }
  return found;
}

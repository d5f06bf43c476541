/** Folders that are never content: packages, and what git keeps. Both are large and change by themselves. */
export const FOREIGN_FOLDERS: ReadonlySet<string> = new Set(['node_modules', '.git']);

/** Where a build puts the files that visitors get as they are, and under which URLs they are asked for. */
import { parseEntry } from '../../slots/entry.ts';

/** One folder of the build output, as a preset knows it or guesses it. */
export interface PresetClient {
  folder: string;
  url: string;
  /** A file without which this folder is another one than was thought. */
  needs?: string | undefined;
}

/** Folders that servers of one's own serve, as a rule, and the builds of clients beside them. */
const USUAL: readonly PresetClient[] = [
  { folder: 'public', url: '/' },
  { folder: 'static', url: '/static' },
  { folder: 'assets', url: '/assets' },
  { folder: 'client', url: '/', needs: 'index.html' },
  { folder: 'client/dist', url: '/' },
  { folder: 'dist/client', url: '/' },
  { folder: 'build/client', url: '/' },
  { folder: 'dist/public', url: '/' },
  { folder: 'dist', url: '/', needs: 'index.html' },
  { folder: 'build', url: '/', needs: 'index.html' },
];

/**
 * The folders of a site that no framework says anything about. All of a static one is its client folder; one of these
 * that holds the server's own file is none, whatever it is called.
 */
export function usualClient(entry: string): PresetClient[] {
  const { kind, path } = parseEntry(entry);
  if (kind === 'static') return [{ folder: path === '' ? '.' : path, url: '/' }];
  return USUAL.filter(({ folder }) => !path.startsWith(`${folder}/`));
}

/**
 * The path below which a framework's config puts the site.
 *
 * @param code of the config file
 * @param key `base` or what the framework calls it
 */
export function basePath(code: string | null, key: string): string {
  const [, , path = '/'] =
    new RegExp(`\\b${key}\\s*:\\s*(['"\`])(/[\\w./~-]*)\\1`).exec(code ?? '') ?? [];
  return path.replace(/(?<=.)\/+$/, '');
}

/** The URL of a folder below that path. */
export function below(base: string, path: string): string {
  return base === '/' ? path : base + path;
}

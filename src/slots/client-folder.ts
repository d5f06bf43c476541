import { z } from 'zod';

/** A folder of a build's output whose files visitors get as they are. */
export const clientFolderSchema = z.object({
  /** Relative to the build output; `.` is all of it. */
  folder: z.string(),
  /** The path that its files' URLs begin with; `/` for those at the top. */
  url: z.string().startsWith('/'),
});

export type ClientFolder = z.output<typeof clientFolderSchema>;

/**
 * The decoded path of the URL of a file in a client folder.
 *
 * @param name relative to the folder, with `/`
 */
export function urlPath({ url }: ClientFolder, name: string): string {
  return `${url.replace(/\/+$/, '')}/${name}`;
}

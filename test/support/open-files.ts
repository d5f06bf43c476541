import { readdir, readlink } from 'node:fs/promises';

/** How many descriptors of this process lead to files below a folder. */
export async function openFilesIn(folder: string): Promise<number> {
  const numbers = await readdir('/proc/self/fd');
  const targets = await Promise.all(
    numbers.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => '')),
  );
  return targets.filter((target) => target.startsWith(folder)).length;
}

import { open } from 'node:fs/promises';

/** A rename survives a power cut only once the folder that holds the name is synced (fsync(2), NOTES). */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

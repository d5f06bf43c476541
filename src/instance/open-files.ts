import fs from 'node:fs';

const WRITING = fs.constants.O_WRONLY | fs.constants.O_RDWR;

/** A program's own files are opened before its visitors' connections, and have low numbers. */
const MAX_DESCRIPTOR = 256;

/** How often it is looked for them, in milliseconds. */
const LOOK_INTERVAL_MS = 5000;

export interface OpenFile {
  path: string;
  isWritable: boolean;
}

/** Shows what native code (SQLite) has open now and then, which calls no function of node:fs. Linux only. */
export function watchOpenFiles(onOpen: (file: OpenFile) => void): void {
  if (process.platform !== 'linux') return;
  const { readdirSync, readlinkSync, readFileSync } = fs;
  const fileAt = (descriptor: string): OpenFile[] => {
    try {
      const path = readlinkSync(`/proc/self/fd/${descriptor}`);
      if (!path.startsWith('/') || path.startsWith('/dev/')) return [];
      const info = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8');
      const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '0', 8);
      return [{ path, isWritable: (flags & WRITING) !== 0 }];
    } catch {
      return [];
    }
  };
  const look = () => {
    try {
      const descriptors = readdirSync('/proc/self/fd');
      const low = descriptors.filter((each) => Number(each) < MAX_DESCRIPTOR);
      for (const file of low.flatMap(fileAt)) onOpen(file);
    } catch {
      // No /proc, as in some sandboxes.
    }
  };
  for (const ms of [100, 1000]) setTimeout(look, ms).unref();
  setInterval(look, LOOK_INTERVAL_MS).unref();
}

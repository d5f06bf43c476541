import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Slot } from './slot.ts';

/** `sun_path` holds 108 bytes with its final NUL on Linux and 104 on macOS; a longer path is cut silently. */
const MAX_SOCKET_PATH_BYTES = 100;

/** A socket gets its name by a rename; this is the longest that it has before. */
const LONGEST_SOCKET_NAME = 'green-999.sock.4194304';

export interface SitePaths {
  /** The site's root folder, absolute. */
  root: string;
  /** `<root>/slots`. */
  slots: string;
  releases: string;
  state: string;
  history: string;
  /** The output of the last build that failed; that of a good one is in its release. */
  failedBuildLog: string;
  /** The digests of watched files by their stamps, so that only what has changed is read again. */
  sourceCache: string;
  /** What sites wrote into releases that are gone, by release. */
  written: string;
  /** The admin port's token; for the owner's eyes only. */
  adminToken: string;
  /** Hashed files of releases that are gone; see assets-index.ts. */
  assets: string;
  /** Keys that every build of this site shares; for the owner's eyes only. */
  secrets: string;
  /** Certificates that a CA has given, their keys and the account's (certificates.ts); for the owner's eyes only. */
  certs: string;
  /** `<root>/slots/control.sock`, or a short path under the OS temp folder when that is too long. */
  controlSocket: string;
  /** `<root>/slots/run`, the sockets of the site's processes (src/wire/instance-socket.ts); the same fallback. */
  run: string;
}

export function sitePaths(root: string): SitePaths {
  const slots = join(root, 'slots');
  return {
    root,
    slots,
    releases: join(slots, 'releases'),
    state: join(slots, 'state.json'),
    history: join(slots, 'history.jsonl'),
    failedBuildLog: join(slots, 'failed-build.log'),
    sourceCache: join(slots, 'source.json'),
    written: join(slots, 'written'),
    adminToken: join(slots, 'admin-token'),
    assets: join(slots, 'assets'),
    secrets: join(slots, 'secrets.json'),
    certs: join(slots, 'certs'),
    controlSocket: controlSocketPath(slots),
    run: runFolder(slots),
  };
}

/** The symlink that points a slot at its release. */
export function slotLink(paths: SitePaths, slot: Slot): string {
  return join(paths.slots, slot);
}

export function releaseDir(paths: SitePaths, id: string): string {
  return join(paths.releases, id);
}

/** Where the instances of a release say which files they write; see instance/record-writes.ts. */
export function writesFile(paths: SitePaths, id: string): string {
  return join(releaseDir(paths, id), 'written.txt');
}

/** Where the instances of a release say what they read outside of it; see instance/record-reads.ts. */
export function readsFile(paths: SitePaths, id: string): string {
  return join(releaseDir(paths, id), 'read.txt');
}

/** Where an instance of a release says why it died; beside `dist`, which is never written again. */
export function crashFile(paths: SitePaths, id: string): string {
  return join(releaseDir(paths, id), 'crash.txt');
}

/** Where the instances of a release say which ports their servers ask for. */
export function askedPortsFile(paths: SitePaths, id: string): string {
  return join(releaseDir(paths, id), 'ports.txt');
}

function controlSocketPath(slots: string): string {
  const path = join(slots, 'control.sock');
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return path;
  return join(tmpdir(), `slots-${shortKey(slots)}.sock`);
}

export function runFolder(slots: string): string {
  const path = join(slots, 'run');
  if (Buffer.byteLength(join(path, LONGEST_SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES) return path;
  return join(tmpdir(), `slots-${shortKey(slots)}`);
}

function shortKey(slots: string): string {
  return createHash('sha256').update(slots).digest('hex').slice(0, 16);
}

/**
 * Where the instances of a slot listen on Unix sockets, for those who listen there and for the proxy, which connects.
 *
 * The n-th instance of a slot (PM2's `NODE_APP_INSTANCE`, from 0) listens on `<run>/<slot>-<n>.sock`, mode 0600. It binds
 * a name of its own and renames that into place once it serves. So a path that is there leads to a process that serves,
 * or to one that was killed (`ECONNREFUSED`: leave it out, and look again when the path has another inode), and the
 * process that takes a place over never leaves it empty. A connection is one to the site's own `http.Server`; what
 * cannot be reached so (a server that is no `http.Server`) has no socket, and is asked on the slot's TCP port.
 *
 * Which process answers is known by the path; a request with `PROBE_HEADER` is told its pid and its release too.
 */
import { join } from 'node:path';
import type { Slot } from '../slots/slot.ts';

/**
 * The socket of a slot's n-th instance, from 0.
 *
 * @param run the site's folder of sockets (`SitePaths.run`)
 */
export function instanceSocket(run: string, slot: Slot, n: number): string {
  return join(run, `${slot}-${n}.sock`);
}

/** The sockets of all instances of a slot, those too that nobody listens on at the moment. */
export function instanceSockets(run: string, slot: Slot, instances: number): string[] {
  return Array.from({ length: instances }, (_, n) => instanceSocket(run, slot, n));
}

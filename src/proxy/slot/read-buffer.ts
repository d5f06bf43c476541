/**
 * The one buffer that all connections to a slot are read into, one read at a time. Node's own sockets get 64 KiB of new memory for
 * each read. An answer of 64 KiB fits in with its head (ran: 30 % more of those per CPU-second than with half of
 * this, in 14 paired rounds).
 */
export const readBuffer: Buffer = Buffer.allocUnsafeSlow(131_072);

/** Copies are cut from pieces of this many bytes; one that would take much of a piece gets memory of its own. */
const SLAB_BYTES = 65_536;
const LONGEST_CUT = SLAB_BYTES / 4;
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let taken = 0;

/**
 * A part of what has been read, as it stays when more is read.
 *
 * @param willWait in memory of its own: a small piece that waits for its visitor would keep all of what it is cut from
 */
export function copyOut(from: number, to: number, willWait: boolean): Buffer {
  const length = to - from;
  const bytes = readBuffer.subarray(from, to);
  if (length > LONGEST_CUT || willWait) {
    const own = Buffer.allocUnsafeSlow(length);
    own.set(bytes);
    return own;
  }
  if (taken + length > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    taken = 0;
  }
  const copy = slab.subarray(taken, taken + length);
  copy.set(bytes);
  taken += length;
  return copy;
}

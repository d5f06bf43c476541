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

/** On a piece that has its memory from the blocks: the block. */
const BLOCK = Symbol('block');

type Lent = Buffer & { [BLOCK]?: Buffer | null };

/** Sizes of blocks, in bytes: for pieces longer than what is cut, up to all of a read. */
const BLOCK_SIZES = [32_768, 65_536, 131_072] as const;

/** How much memory that has been given back is kept, in bytes. */
const MOST_FREE_BYTES = 4 * 1024 * 1024;

const free: Buffer[][] = BLOCK_SIZES.map(() => []);
let freeBytes = 0;

/**
 * A part of what has been read, as it stays when more is read.
 *
 * @param willWait in memory of its own: a small piece that waits for its visitor would keep all of what it is cut from
 */
export function copyOut(from: number, to: number, willWait: boolean): Buffer {
  const length = to - from;
  const bytes = readBuffer.subarray(from, to);
  const copy = willWait ? Buffer.allocUnsafeSlow(length) : room(length);
  copy.set(bytes);
  return copy;
}

function room(length: number): Buffer {
  if (length > LONGEST_CUT) return lend(length);
  if (taken + length > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    taken = 0;
  }
  taken += length;
  return slab.subarray(taken - length, taken);
}

/** Memory that has been used before: new memory costs a fault for each of its pages, more than the copy. */
function lend(length: number): Buffer {
  const which = BLOCK_SIZES.findIndex((size) => length <= size);
  const used = free[which]?.pop();
  if (used) freeBytes -= used.length;
  const block = used ?? Buffer.allocUnsafeSlow(BLOCK_SIZES[which] as number);
  const lent: Lent = block.subarray(0, length);
  lent[BLOCK] = block;
  return lent;
}

/** Nobody reads this piece any more: a later one may have its memory. */
export function giveBack(piece: Lent): void {
  const block = piece[BLOCK];
  if (!block || freeBytes + block.length > MOST_FREE_BYTES) return;
  piece[BLOCK] = null;
  freeBytes += block.length;
  free[BLOCK_SIZES.indexOf(block.length as never)]?.push(block);
}

/** Whether `giveBack` is to be called once the piece has been written. */
export function isLent(piece: Lent): boolean {
  return piece[BLOCK] != null;
}

/** A piece that stays as it is, although it is given back. */
export function keep(piece: Lent): Buffer {
  if (piece[BLOCK]) piece[BLOCK] = null;
  return piece;
}

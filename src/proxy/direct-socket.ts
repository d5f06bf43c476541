import { Socket } from 'node:net';

/** What all connections of a worker are read into, one read at a time; what it brought is copied out at once. */
const shared = Buffer.allocUnsafeSlow(65_536);

/** Copies are cut from pieces of this many bytes; one that would take much of a piece gets memory of its own. */
const SLAB_BYTES = 65_536;
const LONGEST_CUT = SLAB_BYTES / 4;
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let taken = 0;

/**
 * A socket for undici that hands over what has been read at once. Node's own gets 64 KiB of new memory for each
 * read, and lets the bytes wait in a stream's buffer for the next tick (ran: without both 4 % more requests per
 * CPU-second, in 14 paired rounds). undici asks for no more of a stream than what is overridden here: `readable`, then
 * `read()` until it gives `null`, unless it has to pause, and then it puts back what it cannot use yet.
 */
export class DirectSocket extends Socket {
  #held: Buffer | null = null;
  /** Whether the reader has asked in vain. */
  #isHungry = true;

  constructor() {
    super({
      allowHalfOpen: false,
      noDelay: true,
      onread: { buffer: shared, callback: onBytes },
    });
  }

  /** @returns whether to read on */
  receive(length: number): boolean {
    this.#held = copyOut(length);
    this.#isHungry = false;
    this.emit('readable');
    return this.#isHungry;
  }

  override read(size?: number): Buffer | null {
    // Node's own question, to begin and to end the stream.
    if (size === 0) return super.read(0);
    const bytes = this.#held;
    this.#held = null;
    if (bytes === null && !this.#isHungry) {
      this.#isHungry = true;
      this._read(0);
    }
    return bytes;
  }

  override unshift(bytes: Buffer): void {
    this.#held = bytes.length > 0 ? bytes : null;
  }
}

function onBytes(this: DirectSocket, length: number): boolean {
  return this.receive(length);
}

function copyOut(length: number): Buffer {
  const bytes = shared.subarray(0, length);
  if (length > LONGEST_CUT) return Buffer.from(bytes);
  if (taken + length > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    taken = 0;
  }
  const copy = slab.subarray(taken, taken + length);
  copy.set(bytes);
  taken += length;
  return copy;
}

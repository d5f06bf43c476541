// 251 is prime, so no buffer size hides a missing or doubled piece.
const ROUND = 251;
const block = Buffer.from(Uint8Array.from({ length: ROUND * 1024 }, (_, i) => i % ROUND));

/** Bytes `from` to `from + length` of the endless pattern whose byte i is i % 251. */
export function patternAt(from: number, length: number): Buffer {
  const start = from % ROUND;
  if (start + length <= block.length) return block.subarray(start, start + length);
  // Filled by native code: a callback for each byte would keep visitors busy who are to measure.
  return Buffer.alloc(length, block.subarray(start, start + ROUND));
}

/** The index of the first byte of `chunk` that is not the pattern's, or -1. */
export function firstWrongByte(chunk: Buffer, from: number): number {
  if (chunk.equals(patternAt(from, chunk.length))) return -1;
  return chunk.findIndex((byte, i) => byte !== (from + i) % ROUND);
}

/** Node's own, which its types leave out. */
interface Sliceable {
  latin1Slice(from?: number, to?: number): string;
}

/** What `toString('latin1')` comes down to, without the way there: it is called several times an answer. */
export function latin1(bytes: Buffer, from?: number, to?: number): string {
  return (bytes as unknown as Sliceable).latin1Slice(from, to);
}

/** Node's own, which its types leave out. */
interface Sliceable {
  latin1Slice(from?: number, to?: number): string;
}

/** Calls the native function below `toString('latin1')`, since it runs several times an answer. */
export function latin1(bytes: Buffer, from?: number, to?: number): string {
  return (bytes as unknown as Sliceable).latin1Slice(from, to);
}

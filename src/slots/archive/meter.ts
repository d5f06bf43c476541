import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';

/** What has gone through a stream. */
export interface Meter {
  stream: Transform;
  bytes(): number;
  /** In hex; once, and after the end. */
  sha256(): string;
}

export interface MeterOptions {
  /** Gets the bytes so far; what it throws ends the stream. */
  onBytes?: (bytes: number) => void;
  /** Runs after the last byte, before whatever reads on learns of the end; what it throws ends the stream. */
  onEnd?: (meter: Meter) => void;
}

/** Counts and hashes what passes. */
export function meter({ onBytes, onEnd }: MeterOptions = {}): Meter {
  const hash = createHash('sha256');
  let bytes = 0;
  const self: Meter = {
    stream: new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        hash.update(chunk);
        const error = errorOf(() => onBytes?.(bytes));
        if (error) done(error);
        else done(null, chunk);
      },
      flush(done) {
        done(errorOf(() => onEnd?.(self)));
      },
    }),
    bytes: () => bytes,
    sha256: () => hash.digest('hex'),
  };
  return self;
}

function errorOf(act: () => void): Error | null {
  try {
    act();
    return null;
  } catch (error) {
    return error as Error;
  }
}

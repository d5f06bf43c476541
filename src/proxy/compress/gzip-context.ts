/**
 * gzip of whole bodies on the event loop, by one context for all of them: a new one is 260 KiB that are cleared for each body.
 *
 * Node resets a stream, but compresses by it in the thread pool only. So this reaches for what is below its streams, as minizlib
 * does for npm. Where that is not as expected, `zlib.gzipSync` does the work.
 */
import zlib from 'node:zlib';

interface Below {
  _handle?: {
    writeSync(
      flush: number,
      from: Buffer,
      fromOffset: number,
      fromLength: number,
      to: Buffer,
      toOffset: number,
      toLength: number,
    ): void;
    reset(): void;
  } | null;
  /** Room that is left for the output, and input that is left; set by `writeSync`. */
  _writeState?: Uint32Array;
}

type Gzip = (body: Buffer) => Buffer;

/** @param mostBytes longest body; a longer one gets a context of its own */
export function createGzip(level: number, mostBytes: number, below?: Below): Gzip {
  const alone: Gzip = (body) => zlib.gzipSync(body, { level });
  const { _handle: handle, _writeState: left } = below ?? (zlib.createGzip({ level }) as Below);
  // What cannot be compressed grows by 5 bytes for each 16 KiB, and by a head and a tail of 18.
  const out = Buffer.allocUnsafeSlow(mostBytes + (mostBytes >> 8) + 64);
  const shared: Gzip = (body) => {
    if (body.length > mostBytes || !handle || !left) return alone(body);
    handle.writeSync(zlib.constants.Z_FINISH, body, 0, body.length, out, 0, out.length);
    const [room = 0, unread = 1] = left;
    handle.reset();
    return room === 0 || unread > 0 ? alone(body) : Buffer.from(out.subarray(0, out.length - room));
  };
  return isRight(shared) ? shared : alone;
}

/** Whether a second body comes out as well as the first. */
function isRight(gzip: Gzip): boolean {
  try {
    return ['one body', 'another body'].every(
      (text) => zlib.gunzipSync(gzip(Buffer.from(text))).toString() === text,
    );
  } catch {
    return false;
  }
}

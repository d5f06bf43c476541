/**
 * Follows the WebSocket frames (RFC 6455 §5.2) of one direction by their headers. A frame of our own may go only
 * between two frames: anywhere else the receiver would read it as payload.
 */
export interface FrameTracker {
  feed(chunk: Buffer): void;
  /** Feeds a chunk up to the next place between two frames; returns how many bytes lie before it. */
  feedToBoundary(chunk: Buffer): number;
  isBetweenFrames(): boolean;
}

const MAX_HEADER_BYTES = 14;

export function createFrameTracker(): FrameTracker {
  const header = Buffer.alloc(MAX_HEADER_BYTES);
  let have = 0;
  let payloadLeft = 0;

  const isBetweenFrames = () => have === 0 && payloadLeft === 0;

  /** Consumes at least one byte, and no more than the rest of one frame. */
  const step = (chunk: Buffer, at: number): number => {
    if (payloadLeft > 0) {
      const taken = Math.min(payloadLeft, chunk.length - at);
      payloadLeft -= taken;
      return taken;
    }
    header[have++] = chunk[at] as number;
    if (have === headerLength(header, have)) {
      payloadLeft = payloadLength(header);
      have = 0;
    }
    return 1;
  };

  return {
    isBetweenFrames,
    feed(chunk) {
      for (let at = 0; at < chunk.length; ) at += step(chunk, at);
    },
    feedToBoundary(chunk) {
      let at = 0;
      while (at < chunk.length && !isBetweenFrames()) at += step(chunk, at);
      return at;
    },
  };
}

function headerLength(header: Buffer, have: number): number {
  if (have < 2) return 2;
  const second = header[1] as number;
  const length = second & 0x7f;
  const extended = length === 126 ? 2 : length === 127 ? 8 : 0;
  return 2 + extended + (second & 0x80 ? 4 : 0);
}

function payloadLength(header: Buffer): number {
  const length = (header[1] as number) & 0x7f;
  if (length === 126) return header.readUInt16BE(2);
  if (length === 127) return Number(header.readBigUInt64BE(2));
  return length;
}

/**
 * A close frame with status 1001, "going away" (RFC 6455 §7.4.1).
 *
 * @param masked as frames from a client to a server must be (§5.3)
 */
export function goingAwayFrame(masked: boolean): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(1001);
  if (!masked) return Buffer.concat([Buffer.from([0x88, 2]), payload]);
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([Buffer.from([0x88, 0x82, 0, 0, 0, 0]), payload]);
}

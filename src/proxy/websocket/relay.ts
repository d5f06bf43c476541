import type { Duplex } from 'node:stream';
import { createFrameTracker } from './frames.ts';

/** One direction of a WebSocket tunnel. */
export interface Relay {
  /** Ends the direction with this frame once the frame that is passing is whole, or without it after a second. */
  endWith(frame: Buffer): void;
}

/** How long an ending direction waits for the rest of a frame, in milliseconds. */
const FRAME_GRACE_MS = 1000;

/** Passes bytes on with backpressure, and an end as an end: each direction closes for itself. */
export function relay(from: Duplex, to: Duplex): Relay {
  const tracker = createFrameTracker();
  let lastFrame: Buffer | null = null;
  let ended = false;

  const finish = () => {
    ended = true;
    to.end(lastFrame);
    // Reading on lets the sender's own close frame and end arrive; without a reader the tunnel would never close.
    from.resume();
  };

  from.on('data', (chunk: Buffer) => {
    if (ended) return;
    if (lastFrame) {
      const rest = tracker.feedToBoundary(chunk);
      to.write(chunk.subarray(0, rest));
      if (tracker.isBetweenFrames()) finish();
      return;
    }
    tracker.feed(chunk);
    if (to.write(chunk)) return;
    from.pause();
    to.once('drain', () => from.resume());
  });
  from.on('end', () => {
    if (!ended) to.end();
  });
  // `unpipe` has paused the stream, and a `data` listener alone does not resume it.
  from.resume();

  return {
    endWith(frame) {
      if (ended || from.readableEnded) return;
      lastFrame = frame;
      if (tracker.isBetweenFrames()) {
        finish();
        return;
      }
      setTimeout(() => {
        if (!ended) to.destroy();
      }, FRAME_GRACE_MS).unref();
    },
  };
}

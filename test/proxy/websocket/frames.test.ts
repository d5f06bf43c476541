import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFrameTracker, goingAwayFrame } from '../../../src/proxy/websocket/frames.ts';

interface Frame {
  length: number;
  masked: boolean;
  opcode: number;
  /** A length may be written longer than it needs to be. */
  form: 'short' | '16 bits' | '64 bits';
}

const anyFrame: fc.Arbitrary<Frame> = fc.record({
  length: fc.oneof(fc.nat(130), fc.constantFrom(125, 126, 127, 65_535, 65_536, 70_000)),
  masked: fc.boolean(),
  opcode: fc.constantFrom(0, 1, 2, 8, 9, 10),
  form: fc.constantFrom('short', '16 bits', '64 bits'),
});

function encode({ length, masked, opcode, form }: Frame): Buffer {
  const mask = masked ? 0x80 : 0;
  let size: Buffer;
  if (form === '64 bits' || length > 65_535) {
    size = Buffer.alloc(9);
    size.writeBigUInt64BE(BigInt(length), 1);
    size[0] = 127 | mask;
  } else if (form === '16 bits' || length > 125) {
    size = Buffer.alloc(3);
    size.writeUInt16BE(length, 1);
    size[0] = 126 | mask;
  } else size = Buffer.from([length | mask]);
  // A payload that looks like headers of frames.
  const payload = Buffer.alloc(length, 0xff);
  return Buffer.concat([Buffer.from([0x80 | opcode]), size, Buffer.alloc(masked ? 4 : 0), payload]);
}

const anyStream = fc.array(anyFrame, { maxLength: 6 }).map((frames) => {
  const encoded = frames.map(encode);
  let at = 0;
  const boundaries = new Set([0, ...encoded.map(({ length }) => (at += length))]);
  return { bytes: Buffer.concat(encoded), boundaries };
});

/** Where to cut a stream, as parts of its length. */
const anyCuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

function split(bytes: Buffer, cuts: number[]): Buffer[] {
  const at = [...cuts.map((cut) => Math.floor(cut * bytes.length)), bytes.length];
  at.sort((a, b) => a - b);
  return at.map((end, i) => bytes.subarray(at[i - 1] ?? 0, end));
}

test('the tracker knows the places between two frames, however the stream is split', () => {
  fc.assert(
    fc.property(anyStream, anyCuts, ({ bytes, boundaries }, cuts) => {
      const tracker = createFrameTracker();
      let at = 0;
      expect(tracker.isBetweenFrames()).toBe(true);
      for (const chunk of split(bytes, cuts)) {
        tracker.feed(chunk);
        at += chunk.length;
        expect(tracker.isBetweenFrames()).toBe(boundaries.has(at));
      }
    }),
  );
});

test('the tracker knows them byte for byte', () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 3 }), (frames) => {
      const small = frames.map((frame) => encode({ ...frame, length: frame.length % 300 }));
      const tracker = createFrameTracker();
      for (const frame of small) {
        for (let i = 0; i < frame.length; i++) {
          tracker.feed(frame.subarray(i, i + 1));
          expect(tracker.isBetweenFrames()).toBe(i === frame.length - 1);
        }
      }
    }),
    { numRuns: 30 },
  );
});

test('the tracker stops at the next of them, however the rest is split', () => {
  fc.assert(
    fc.property(anyStream, anyCuts, fc.nat(), ({ bytes, boundaries }, cuts, n) => {
      const tracker = createFrameTracker();
      const start = bytes.length === 0 ? 0 : n % bytes.length;
      tracker.feed(bytes.subarray(0, start));
      let at = start;
      for (const chunk of split(bytes.subarray(start), cuts)) {
        at += tracker.feedToBoundary(chunk);
        if (tracker.isBetweenFrames()) break;
      }
      const next = [...boundaries].filter((boundary) => boundary >= start);
      expect(at).toBe(Math.min(...next));
    }),
  );
});

test('the close frame is one frame with status 1001, masked from a client only', () => {
  expect([...goingAwayFrame(false)]).toEqual([0x88, 2, 3, 233]);
  expect([...goingAwayFrame(true)]).toEqual([0x88, 0x82, 0, 0, 0, 0, 3, 233]);
  for (const masked of [true, false]) {
    const tracker = createFrameTracker();
    tracker.feed(goingAwayFrame(masked));
    expect(tracker.isBetweenFrames()).toBe(true);
  }
});

/**
 * The server's clock, as seen from here: pure. A record is sent, the server stamps it, and its answer comes back; the stamp lies
 * between the two, so that half of the way there and back is the most that the midpoint can be wrong by.
 */

export interface ClockSample {
  /** The server's time less this machine's, in milliseconds. */
  offsetMs: number;
  /** The most that it can be wrong by. */
  errorMs: number;
}

/** Clocks drift by up to some 50 µs per second: old samples are worth less than their way there and back says. */
const SAMPLES = 16;

export function sampleOf(sentAt: number, answeredAt: number, stamp: number): ClockSample {
  return {
    offsetMs: stamp - (sentAt + answeredAt) / 2,
    errorMs: (answeredAt - sentAt) / 2,
  };
}

export function withSample(samples: readonly ClockSample[], sample: ClockSample): ClockSample[] {
  return [...samples, sample].slice(-SAMPLES);
}

/** The sample with the shortest way, or `null` before the first. */
export function bestOf(samples: readonly ClockSample[]): ClockSample | null {
  return samples.reduce<ClockSample | null>(
    (best, sample) => (best === null || sample.errorMs < best.errorMs ? sample : best),
    null,
  );
}

/** This process's time in milliseconds since 1970, which no step of the machine's clock moves. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

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

/** One question and its answer. */
export interface TimedSample extends ClockSample {
  /** When it was answered, in milliseconds. */
  at: number;
}

/** On a busy machine most answers are late; one in many is not. */
const SAMPLES = 64;

/** Clocks drift by up to some 50 µs per second: old samples are worth less than their way there and back says. */
const DRIFT = 50e-6;

export function sampleOf(sentAt: number, answeredAt: number, stamp: number): TimedSample {
  return {
    at: answeredAt,
    offsetMs: stamp - (sentAt + answeredAt) / 2,
    errorMs: (answeredAt - sentAt) / 2,
  };
}

export function withSample(samples: readonly TimedSample[], sample: TimedSample): TimedSample[] {
  return [...samples, sample].slice(-SAMPLES);
}

/** The sample that is the least wrong by now, as of the newest one; `null` before the first. */
export function bestOf(samples: readonly TimedSample[]): ClockSample | null {
  const now = samples.at(-1)?.at ?? 0;
  return samples
    .map(({ at, offsetMs, errorMs }) => ({ offsetMs, errorMs: errorMs + DRIFT * (now - at) }))
    .reduce<ClockSample | null>(
      (best, sample) => (best === null || sample.errorMs < best.errorMs ? sample : best),
      null,
    );
}

/** This process's time in milliseconds since 1970, which no step of the machine's clock moves. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

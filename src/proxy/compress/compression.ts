/** Compression of answers in one worker (design §6). */
import type { StoredAnswer } from '../cache/stored.ts';
import { BY_SIZE, type Coding, createCodingChoice } from './codings.ts';
import { Encoder, type EncoderSink } from './encoder.ts';
import { createEncodingQueue, type EncodingJob } from './encoding-queue.ts';
import { type AnswerToCompress, type Outgoing, outgoing } from './outgoing.ts';
import { type Chosen, chooseStored } from './stored.ts';
import { availableCodings, STREAM_BYTES } from './streams.ts';

/** Of each worker, for answers that are compressed on the fly; those beyond it go out as they are. */
const MOST_BYTES = 128 * 1024 ** 2;

export interface Compression {
  outgoing(answer: AnswerToCompress): Outgoing;
  /** @returns who compresses an answer's body; is to be ended or destroyed */
  encoder(coding: Coding, sink: EncoderSink): Encoder;
  /** A stored answer for who has this in `Accept-Encoding`. */
  chooseStored(stored: StoredAnswer, acceptEncoding: string | undefined): Chosen;
  /** Makes a coding of a stored body, some time. */
  make(job: EncodingJob): void;
  /** Answers that are being compressed. */
  open(): number;
}

export function createCompression(): Compression {
  const choose = createCodingChoice(availableCodings());
  const chooseSmallest = createCodingChoice(availableCodings(), BY_SIZE);
  const queue = createEncodingQueue();
  let open = 0;
  let bytes = 0;
  const canEncode = (coding: Coding) => bytes + STREAM_BYTES[coding] <= MOST_BYTES;
  return {
    outgoing: (answer) => outgoing(answer, choose, canEncode),
    encoder(coding, sink) {
      open++;
      bytes += STREAM_BYTES[coding];
      return new Encoder(coding, sink, () => {
        open--;
        bytes -= STREAM_BYTES[coding];
      });
    },
    chooseStored: (stored, acceptEncoding) => chooseStored(stored, acceptEncoding, chooseSmallest),
    make: queue.add,
    open: () => open,
  };
}

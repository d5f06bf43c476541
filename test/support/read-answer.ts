import type { AnswerHead } from '../../src/proxy/slot/answer-head.ts';
import { AnswerReader } from '../../src/proxy/slot/answer-reader.ts';

/** What became of some bytes. */
export interface ReadAnswer {
  heads: AnswerHead[];
  body: string;
  isOver: boolean;
  endsWithConnection: boolean;
  trailers: string[];
  /** What came after the answer. */
  rest: string;
}

/** Reads pieces one after another, each at the beginning of the same buffer. */
export function read(
  pieces: readonly string[],
  method = 'GET',
  reader = new AnswerReader(16_384),
): ReadAnswer {
  const heads: AnswerHead[] = [];
  const buffer = Buffer.alloc(65_536, '\n');
  let body = '';
  let rest = '';
  reader.begin(method);
  for (const piece of pieces) {
    if (reader.isOver) {
      rest += piece;
      continue;
    }
    const length = buffer.write(piece, 'latin1');
    const taken = reader.read(buffer, length, {
      onHead: (head) => heads.push(head),
      onData(from, to) {
        if (to <= from || to > length)
          throw new Error(`no piece of ${length} bytes: ${from} to ${to}`);
        body += buffer.toString('latin1', from, to);
      },
    });
    rest += piece.slice(taken);
  }
  const { isOver, endsWithConnection, trailers } = reader;
  return { heads, body, isOver, endsWithConnection, trailers, rest };
}

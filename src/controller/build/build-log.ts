import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import { plainText } from '../../plain-text.ts';
import type { Redact } from './redact.ts';

/** A line longer than this is cut before anybody reads it; build.log has more of it. */
const MAX_LINE_CHARS = 2000;

/** A build may print for ever: the log has its first part and its end, in characters. */
const LOG_HEAD_CHARS = 16 * 1024 * 1024;
const LOG_TAIL_CHARS = 256 * 1024;

/** Text without a line's end is looked through for secrets and written in pieces of this size. */
const PIECE_CHARS = 64 * 1024;

/**
 * Reads a build's output to its end, with bounded memory and disk however much it is, and without secrets.
 *
 * @param onLine gets each line that is not blank, without colours
 * @returns why the log could not be written, if it could not; the output was read nonetheless, or a full disk
 * would stop the build for ever
 */
export async function readOutput(
  input: Readable,
  logFile: string,
  redact: Redact,
  onLine: (line: string) => void,
): Promise<Error | null> {
  const log = createCappedLog(logFile);
  const toLog = inPieces((piece) => log.write(redact(piece)));
  const toLines = inLines((line) => {
    const text = redact(plainText(line));
    if (text !== '') onLine(text);
  });
  const decoder = new StringDecoder('utf8');
  const take = async (text: string) => {
    toLines(text);
    await toLog(text);
  };
  for await (const chunk of input) await take(decoder.write(chunk));
  await take(`${decoder.end()}`);
  toLines('\n');
  await toLog(null);
  return log.end();
}

/** @returns takes text; calls back with each line, cut at the limit */
function inLines(onLine: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const [first = '', ...lines] = text.split(/\r\n|[\r\n]/);
    rest = (rest + first).slice(0, MAX_LINE_CHARS);
    for (const line of lines) {
      onLine(rest);
      rest = line.slice(0, MAX_LINE_CHARS);
    }
  };
}

/** Whole lines as far as there are any, since a secret may stand across two chunks. `null` gives the rest. */
function inPieces(onPiece: (piece: string) => Promise<void>) {
  let rest = '';
  return async (text: string | null) => {
    rest += text ?? '';
    const end =
      text === null || rest.length > PIECE_CHARS ? rest.length : rest.lastIndexOf('\n') + 1;
    const piece = rest.slice(0, end);
    rest = rest.slice(end);
    if (piece !== '') await onPiece(piece);
  };
}

function createCappedLog(file: string) {
  const stream = createWriteStream(file, { flags: 'a' });
  const closed = finished(stream).then(
    () => null,
    (error: Error) => error,
  );
  let room = LOG_HEAD_CHARS;
  let tail = '';
  let leftOut = 0;

  const put = async (text: string) => {
    if (text === '' || stream.destroyed || stream.write(text)) return;
    await Promise.race([
      new Promise<void>((resolve) => stream.once('drain', () => resolve())),
      closed,
    ]);
  };

  return {
    async write(text: string): Promise<void> {
      await put(text.slice(0, room));
      tail += text.slice(room);
      room = Math.max(0, room - text.length);
      // Cut now and then only: each cut copies the whole tail.
      if (tail.length <= 2 * LOG_TAIL_CHARS) return;
      leftOut += tail.length - LOG_TAIL_CHARS;
      tail = tail.slice(-LOG_TAIL_CHARS);
    },
    async end(): Promise<Error | null> {
      if (leftOut > 0) await put(`\n[slots: ${leftOut} characters are left out here]\n`);
      await put(tail);
      stream.end();
      return closed;
    },
  };
}

import { StringDecoder } from 'node:string_decoder';
import { MAX_LINE_BYTES } from './messages.ts';

/** Cuts a byte stream into lines of limited length, up to the first that is longer: that one is refused. */
export function lines(
  onLine: (line: string) => void,
  refuse: (why: string) => void,
): (chunk: Buffer) => void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let refused = false;
  return (chunk) => {
    if (refused) return;
    const parts = (rest + decoder.write(chunk)).split('\n');
    const long = parts.findIndex((line) => line.length > MAX_LINE_BYTES);
    refused = long >= 0;
    rest = refused ? '' : (parts.pop() as string);
    for (const line of refused ? parts.slice(0, long) : parts) if (line !== '') onLine(line);
    if (refused) refuse(`a line of more than ${MAX_LINE_BYTES} bytes`);
  };
}

import zlib from 'node:zlib';
import { expect, test } from 'vitest';
import type { Coding } from '../../../src/proxy/compress/codings.ts';
import { Encoder } from '../../../src/proxy/compress/encoder.ts';
import { MOST_BYTES_NOW } from '../../../src/proxy/compress/whole.ts';
import { until } from '../../support/until.ts';

const DECODERS: Record<Coding, (bytes: Buffer) => Buffer> = {
  gzip: zlib.gunzipSync,
  br: zlib.brotliDecompressSync,
  zstd: zlib.zstdDecompressSync,
};
const CODINGS = Object.keys(DECODERS) as Coding[];

function start(coding: Coding, write = (_bytes: Buffer): boolean => true) {
  const made: Buffer[] = [];
  const seen = { ended: false, closed: 0, error: null as Error | null };
  const encoder = new Encoder(
    coding,
    {
      write(bytes) {
        made.push(bytes);
        return write(bytes);
      },
      whenTaken: (goOn) => setImmediate(goOn),
      end() {
        seen.ended = true;
      },
      failed(error) {
        seen.error = error;
      },
    },
    () => seen.closed++,
  );
  const decoded = () => DECODERS[coding](Buffer.concat(made)).toString();
  return { encoder, seen, made, decoded };
}

const text = (bytes: number) => 'words of a page '.repeat(bytes / 16);

test.each(CODINGS)('a body in %s that has come as a whole is there in the same turn', (coding) => {
  const { encoder, seen, made, decoded } = start(coding);
  encoder.write(Buffer.from(text(1024)));
  encoder.write(Buffer.from(text(1024)));
  encoder.end();
  expect(seen).toEqual({ ended: true, closed: 1, error: null });
  expect(made).toHaveLength(1);
  expect(decoded()).toBe(text(2048));
});

test.each(CODINGS)('a large body in %s does not hold up the event loop', async (coding) => {
  const { encoder, seen, made, decoded } = start(coding);
  const body = text(MOST_BYTES_NOW + 16);
  encoder.write(Buffer.from(body));
  encoder.end();
  expect(made).toHaveLength(0);
  await until(() => seen.ended, 'the end');
  expect(seen).toMatchObject({ closed: 1, error: null });
  expect(decoded()).toBe(body);
});

test('a body whose end comes later than its first piece is whole, for a visitor who reads slowly too', async () => {
  const { encoder, seen, made, decoded } = start('gzip', () => false);
  encoder.write(Buffer.from(text(1024)));
  await until(() => made.length > 0, 'the first piece');
  encoder.write(Buffer.from(text(1024)));
  encoder.end();
  await until(() => seen.ended, 'the end');
  expect(decoded()).toBe(text(2048));
});

test('whoever throws while a whole body is handed on ends that answer alone', () => {
  const { encoder, seen } = start('gzip', () => {
    throw new Error('no more');
  });
  encoder.write(Buffer.from(text(1024)));
  encoder.end();
  expect(seen).toMatchObject({ ended: false, closed: 1 });
  expect(seen.error?.message).toBe('no more');
});

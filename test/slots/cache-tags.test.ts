import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LONGEST_TAG, readTags, writeTags } from '../../src/slots/cache-tags.ts';

test('whatever a tag is made of, it is read as it was written', () => {
  const tag = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 });
  fc.assert(
    fc.property(fc.uniqueArray(tag, { maxLength: 20 }), (tags) => {
      const written = writeTags(tags);
      expect(written).toMatch(/^[\x20-\x7e]*$/);
      expect(readTags(written, undefined)).toEqual(tags);
    }),
  );
});

test('half a character is written as one that is not known, instead of breaking the page', () => {
  expect(readTags(writeTags(['a\ud800']), undefined)).toEqual(['a\ufffd']);
});

test('tags of both fields count, each once, and Cache-Tag is read as it stands', () => {
  expect(readTags('post, author:7,,post', ' post , 100% ,a%20b')).toEqual([
    'post',
    '100%',
    'a%20b',
    'author:7',
  ]);
  expect(readTags(undefined, undefined)).toEqual([]);
});

test.each([
  ['a tag that cannot be decoded', '100%', undefined],
  ['a tag that is too long', 'x'.repeat(LONGEST_TAG + 1), undefined],
  ['ten thousand tags', undefined, Array.from({ length: 10_000 }, (_, n) => `t${n}`).join(',')],
])('%s makes all of them unreadable', (_what, ours, general) => {
  expect(readTags(ours, general)).toBeNull();
});

import { stripVTControlCharacters } from 'node:util';

/** Control characters, line ends, and what turns the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu;

/** Foreign text (a file's name, an error of a site) as one line that can do nothing to a terminal. */
export function plainText(text: string): string {
  return stripVTControlCharacters(text).replaceAll(UNPRINTABLE, ' ').trim();
}

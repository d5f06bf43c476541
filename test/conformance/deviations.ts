/** Required cases that fail on purpose, and why; docs/caching.md says the same in short. */

/** RFC 9111 §5.1: of several values the first counts, and what is no number is ignored. The suite wants either to be stale. */
const AGE = 'RFC 9111 §5.1 has a cache take the first value and ignore one that is no number';

/** The suite counts answers of its own server only, and takes ours for one from the cache. */
const OWN_ANSWER =
  'the visitor gets a 502 of ours and nothing stored, which the suite does not tell apart';

const COOKIE = 'an answer with Set-Cookie is never stored: it would be another visitor’s';

export const DEVIATIONS: Record<string, string> = {
  'age-parse-nonnumeric': AGE,
  'age-parse-negative': AGE,
  'age-parse-float': AGE,
  'age-parse-prefix-twoline': AGE,
  'age-parse-dup-0': AGE,
  'age-parse-dup-0-twoline': AGE,
  'age-parse-dup-old': AGE,
  'age-parse-parameter': AGE,
  'age-parse-numeric-parameter': AGE,
  'stale-close-must-revalidate': OWN_ANSWER,
  'stale-close-proxy-revalidate': OWN_ANSWER,
  'stale-close-no-cache': OWN_ANSWER,
  'stale-close-s-maxage=2': OWN_ANSWER,
  'headers-store-Set-Cookie': COOKIE,
  '304-etag-update-response-Set-Cookie': COOKIE,
  'headers-store-Transfer-Encoding':
    'an answer in a transfer coding that nobody knows cannot be read, and becomes a 502 (RFC 9112 §6.1)',
  '304-etag-update-response-ETag':
    'RFC 9111 §4.3.4: a 304 with another strong tag must update nothing; the suite wants it to make the stored answer fresh',
};

import { expect, test } from 'vitest';
import { createRedactor } from '../../../src/controller/build/redact.ts';

test('puts the names of the configured variables where their values were', () => {
  const redact = createRedactor({ DB: 'postgres://me:pw@db', SITE: 'https://x.org' }, {});
  expect(redact('cannot reach postgres://me:pw@db from https://x.org')).toBe(
    'cannot reach [DB] from [SITE]',
  );
});

test('hides of the inherited environment only what is called like a secret', () => {
  const inherited = {
    API_TOKEN: 'abc123xyz',
    HOME: '/home/someone',
    AWS_SECRET_ACCESS_KEY: 's/+$^x',
  };
  const redact = createRedactor({}, inherited);
  expect(redact('abc123xyz in /home/someone, s/+$^x')).toBe(
    '[API_TOKEN] in /home/someone, [AWS_SECRET_ACCESS_KEY]',
  );
});

test('leaves words alone that any text may have', () => {
  const redact = createRedactor({ DEBUG: 'true', PORT: '123456', NODE_ENV: 'production' }, {});
  const text = 'true 123456 production';
  expect(redact(text)).toBe(text);
});

test('hides the longer of two values when one begins with the other', () => {
  const redact = createRedactor({ SHORT: 'secret', LONG: 'secret-and-more' }, {});
  expect(redact('secret-and-more, secret')).toBe('[LONG], [SHORT]');
});

test('hides each line of a value of several lines', () => {
  const key = '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END KEY-----\n';
  const redact = createRedactor({ TLS_KEY: key }, {});
  expect(redact('  MIIEvQIBADANBgkqhkiG9w0')).toBe('  [TLS_KEY]');
});

import { expect, test } from 'vitest';
import { frontSchema } from '../../src/config/front.ts';
import { publicSide } from '../../src/config/public-side.ts';
import { testConfig } from '../support/test-config.ts';

const acme = { email: 'a@b.example', agreeTos: true as const, hosts: ['b.example'] };

test('a site is reached at its own proxy, by plain HTTP on the port that redirects', () => {
  const config = testConfig({ proxy: { workers: 3, tls: { acme, redirectHttp: 8080 } } });
  const { ports } = config;
  expect(publicSide(config)).toEqual({ workers: 3, host: '::', http: 8080, https: ports.proxy });
});

test('a site with hosts is reached at the front, whatever its own ports are', () => {
  const config = testConfig({ hosts: ['b.example'], proxy: { workers: 3, tls: { acme } } });
  const front = frontSchema.parse({ workers: 4, host: '127.0.0.1', ports: { http: 8081 } });
  expect(publicSide(config, () => front)).toEqual({
    workers: 1,
    host: '127.0.0.1',
    http: 8081,
    https: 443,
  });
});

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { SlotsError } from '../../src/errors.ts';
import { tempSite } from '../support/temp-site.ts';

const ACME = { email: 'me@example.com', agreeTos: true, hosts: ['example.com'] };

const COMPLETE = { name: 'site', build: 'make', entry: 'server.mjs' };

/** What loading says about a site with this config, without the file's name before each line. */
async function complaint(config: unknown): Promise<string> {
  const text = typeof config === 'string' ? config : `export default ${JSON.stringify(config)};`;
  const { root } = await tempSite({ 'slots.config.mjs': text });
  let caught: SlotsError | undefined;
  try {
    loadConfig(root);
  } catch (error) {
    caught = error as SlotsError;
  }
  expect(caught).toMatchObject({ name: 'SlotsError', code: 'CONFIG_INVALID' });
  const prefix = `${join(root, 'slots.config.mjs')}: `;
  const lines = (caught?.message ?? '').split('\n');
  for (const line of lines) expect(line.startsWith(prefix)).toBe(true);
  return lines.map((line) => line.slice(prefix.length)).join('\n');
}

test.each([
  [{ name: 'a b' }, 'name: "a b" (letters, digits, dot, dash and underscore)'],
  [{ name: '-x' }, 'name: "-x" (letters, digits, dot, dash and underscore)'],
  [{ watch: 'src' }, 'watch: "src" (expected array, received string)'],
  [{ watch: [] }, /^watch: \[\] \(.*>=1 items\)$/],
  [{ watch: ['/etc'] }, 'watch.0: "/etc" (a path inside the site, without "..")'],
  [{ watch: ['a', 'b/../../c'] }, 'watch.1: "b/../../c" (a path inside the site, without "..")'],
  [
    { watch: ['./slots/releases'] },
    'watch.0: "./slots/releases" (a path outside slots/, which is where releases and the state are kept)',
  ],
  [{ usePolling: 'yes' }, 'usePolling: "yes" (expected boolean, received string)'],
  [{ debounceMs: -1 }, /^debounceMs: -1 \(.*>=0\)$/],
  [{ debounceMs: 1.5 }, /^debounceMs: 1.5 \(expected int, received number\)$/],
  [{ build: 5 }, 'build: 5 (a command or a list of its words)'],
  [{ build: [] }, 'build: [] (a command or a list of its words)'],
  [{ build: '' }, 'build: "" (a command or a list of its words)'],
  [{ build: ['make', 1] }, 'build: ["make",1] (a command or a list of its words)'],
  [{ buildTimeoutMs: 0 }, /^buildTimeoutMs: 0 \(.*>=1\)$/],
  [{ entry: '../server.mjs' }, 'entry: "../server.mjs" (a path inside the site, without "..")'],
  [{ env: { DEBUG: true } }, 'env.DEBUG: [hidden] (expected string, received boolean)'],
  [{ env: 'API_KEY=open-sesame' }, 'env: [hidden] (expected record, received string)'],
  [{ instances: 0 }, /^instances: 0 \(.*>=1\)$/],
  [{ instances: 'max' }, 'instances: "max" (expected number, received string)'],
  [{ ports: { proxy: 70_000 } }, /^ports.proxy: 70000 \(.*<=65535\)$/],
  [{ ports: { blue: 0 } }, /^ports.blue: 0 \(.*>=1\)$/],
  [{ ports: { green: 4321 } }, /^ports: \{.*"green":4321.*\} \(four different ports\)$/],
  [{ host: '' }, /^host: "" \(.*>=1 characters\)$/],
  [{ health: { path: 'ready' } }, /^health.path: "ready" \(.*start with "\/"\)$/],
  [{ health: { consecutive: 0 } }, /^health.consecutive: 0 \(.*>=1\)$/],
  [{ drainTimeoutMs: '30s' }, 'drainTimeoutMs: "30s" (expected number, received string)'],
  [{ keep: 1 }, /^keep: 1 \(.*>=2\)$/],
  [{ proxy: { workers: 65 } }, /^proxy.workers: 65 \(.*<=64\)$/],
  [{ proxy: { limits: { bodyBytes: -1 } } }, /^proxy.limits.bodyBytes: -1 \(.*>=0\)$/],
  [
    { proxy: { tls: { cert: 'c.pem' } } },
    'proxy.tls.key: nothing (expected string, received undefined)',
  ],
  [{ proxy: { tls: {} } }, /^proxy.tls: \{.*\} \(expected "cert" and "key", or "acme"\)$/],
  [
    { proxy: { tls: { cert: 'c.pem', key: 'k.pem', acme: ACME } } },
    /^proxy.tls: .* \(either "acme", or "cert" and "key"\)$/,
  ],
  [
    { proxy: { tls: { acme: { ...ACME, agreeTos: false } } } },
    /^proxy.tls.acme.agreeTos: false \(true, once you have read the CA's terms of service/,
  ],
  [
    { proxy: { tls: { acme: { ...ACME, hosts: ['*.example.com'] } } } },
    /^proxy.tls.acme.hosts.0: "\*\.example\.com" \(a host name such as/,
  ],
  [
    { proxy: { tls: { acme: { ...ACME, hosts: ['192.0.2.1'] } } } },
    'proxy.tls.acme.hosts.0: "192.0.2.1" (a host name, not an address)',
  ],
  [
    { proxy: { tls: { acme: { ...ACME, directory: 'http://ca.test' } } } },
    /^proxy.tls.acme.directory: "http:\/\/ca.test" \(the https URL of a CA's ACME directory\)$/,
  ],
  [{ admin: { hosts: ['a:80'] } }, /^admin.hosts.0: "a:80" \(a host name or an address/],
  [{ notify: [{ url: 'ftp://key@a' }] }, 'notify.0.url: [hidden] (an http or https URL)'],
  [{ notify: 'https://a/key' }, 'notify: [hidden] (expected array, received string)'],
  [{ notify: [{ url: 'https://a', on: ['won'] }] }, /^notify.0.on.0: "won" \(/],
  [{ deploy: { git: 'yes', secret: 'k'.repeat(16) } }, /^deploy.git: "yes" \(/],
  [{ deploy: { git: true, secret: 'short' } }, /^deploy.secret: \[hidden\] \(.*>=16/],
  [{ deploy: 'secret' }, 'deploy: [hidden] (expected object, received string)'],
  [
    { fleet: { servers: ['nats://me:secret@10.0.0.5'] } },
    'fleet.servers.0: [hidden] (such as nats://10.0.0.5:4222, without a user)',
  ],
  [{ fleet: { servers: [] } }, /^fleet.servers: \[hidden\] \(.*>=1 items\)$/],
  [
    { fleet: { servers: ['nats://a'], id: 'a.b' } },
    'fleet.id: "a.b" (up to 64 letters, digits, dashes and underscores)',
  ],
  [{ fleet: { servers: ['nats://a'], leaseMs: 100 } }, /^fleet.leaseMs: 100 \(.*>=500\)$/],
  [{ fleet: { servers: ['nats://a'], onPartition: 'stop' } }, /^fleet.onPartition: "stop" \(/],
  [{ env: { KEY: 42 } }, 'env.KEY: [hidden] (expected string, received number)'],
  [{ env: { 'A=B': 'c' } }, 'env.A=B: [hidden] (a name that is not empty and has no "=")'],
  [{ env: { KEY: 'a\0b' } }, 'env.KEY: [hidden] (a text without NUL)'],
  [{ drainTimeoutMs: 2 ** 31 }, /^drainTimeoutMs: 2147483648 \(.*<=2147483647\)$/],
  [{ buildTimeoutMs: 1e10 }, /^buildTimeoutMs: 10000000000 \(.*<=2147483647\)$/],
  [
    { proxy: { upstreamTimeoutMs: 1e10 } },
    /^proxy.upstreamTimeoutMs: 10000000000 \(.*<=2147483647\)$/,
  ],
  [
    { proxy: { trustedProxies: ['loopback', '10.0.0.0/99'] } },
    'proxy.trustedProxies.1: "10.0.0.0/99" (an IP address, a CIDR block or "loopback")',
  ],
  [{ proxy: { affinity: 'sticky' } }, 'proxy.affinity: "sticky" (expected false or "cookie")'],
  [
    { proxy: { tls: { cert: 'c.pem', key: 'k.pem', redirectHttp: 4321 } } },
    'proxy.tls.redirectHttp: 4321 (another port than those of "ports")',
  ],
  [{ cache: true }, 'cache: true (expected false or object)'],
  [
    { cache: { maxBytes: '64 MiB' } },
    'cache.maxBytes: "64 MiB" (expected number, received string)',
  ],
  [
    { cache: { untilRelease: ['blog'] } },
    'cache.untilRelease.0: "blog" (a path that begins with "/", for instance "/blog/**")',
  ],
  [{ cache: { size: 5 } }, 'cache.size: no such key'],
  [{ skew: { days: -1 } }, /^skew.days: -1 \(.*>=0\)$/],
  [{ env: 'KEY=42' }, 'env: [hidden] (expected record, received string)'],
  [{ onFailed: [] }, 'onFailed: [] (a command or a list of its words)'],
  [{ wacth: ['src'] }, 'wacth: no such key'],
  [{ ports: { http: 80, https: 443 } }, 'ports.http, ports.https: no such key'],
])(
  'a wrong config: %j is answered with key, value and what was expected',
  async (config, expected) => {
    const said = await complaint({ ...COMPLETE, ...config });
    if (typeof expected === 'string') expect(said).toBe(expected);
    else expect(said).toMatch(expected);
  },
);

test('a wrong config has every mistake named, one a line', async () => {
  const said = await complaint({ ...COMPLETE, keep: 0, host: 7, nonsense: 1 });
  expect(said.split('\n')).toHaveLength(3);
});

test.each([
  ['null', 'the config: null (expected object, received null)'],
  ['[]', 'the config: [] (expected object, received array)'],
  ['{ keep: NaN }', 'keep: NaN (expected number, received NaN)'],
  ['{ keep: 5n }', 'keep: 5 (expected number, received bigint)'],
  ['{ keep: Infinity }', /^keep: Infinity \(/],
  ['{ keep: () => 5 }', 'keep: () => 5 (expected number, received function)'],
])(
  'a wrong config of values that JSON does not know is answered as well: %s',
  async (source, expected) => {
    const said = await complaint(`export default ${source};`);
    if (typeof expected === 'string') expect(said).toBe(expected);
    else expect(said).toMatch(expected);
  },
);

/** The proxies that are compared: each with one worker, keep-alive to the origin, and no log. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROXY_NODE_ARGS } from '../src/config/ecosystem.ts';

/** What a proxy does with an answer, besides passing it on. */
export type Work = 'forwards' | 'remembers' | 'compresses';

export interface Peer {
  name: string;
  port: number;
  /** `null` where it does not speak TLS here. */
  tlsPort: number | null;
  /** It is compared with its like only. */
  does: Work;
  command: string[];
  env?: NodeJS.ProcessEnv;
  version: string;
}

export interface Setting {
  folder: string;
  originPort: number;
  cert: string;
  key: string;
}

type Maker = (setting: Setting, port: number) => Omit<Peer, 'name' | 'version' | 'port' | 'does'>;

/** Pages that change with a release only, as the README's line of config has it. */
const UNTIL_RELEASE = { untilRelease: ['/**'] };

const IDLE_CONNECTIONS = 128;

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const NODE_OPTIONS: NodeJS.ProcessEnv = { NODE_ENV: 'production' };

const MAKERS: Record<string, { make: Maker; version: () => string; does?: Work }> = {
  slots: { make: ourselves({}), version: nodeVersion },
  'slots, access log': { make: ourselves({ accessLog: true }), version: nodeVersion },
  'slots, one site on a front': { make: onFront(1), version: nodeVersion },
  'slots, one of twenty on a front': { make: onFront(20), version: nodeVersion },
  'http-proxy-3': {
    make: ({ originPort }, port) => ({
      command: [process.execPath, here('peers/http-proxy-3.js')],
      env: { ...NODE_OPTIONS, PORT: String(port), ORIGIN: String(originPort) },
      tlsPort: null,
    }),
    version: nodeVersion,
  },
  nginx: { make: (setting, port) => nginx(setting, port), version: () => versionOf('nginx', '-v') },
  haproxy: { make: haproxy, version: () => versionOf('haproxy', '-v') },
  caddy: {
    make: (setting, port) => caddy(setting, port),
    version: () => versionOf('caddy', 'version'),
  },
  'slots, from memory': {
    make: ourselves({}, UNTIL_RELEASE),
    does: 'remembers',
    version: nodeVersion,
  },
  'nginx, proxy_cache': {
    make: nginxCache,
    does: 'remembers',
    version: () => versionOf('nginx', '-v'),
  },
  varnish: {
    make: varnish,
    does: 'remembers',
    version: () => versionOf('varnishd', '-V'),
  },
  'slots, compressing': { make: ourselves({}), does: 'compresses', version: nodeVersion },
  'nginx, gzip on': {
    make: (setting, port) => nginx(setting, port, 'gzip', 'gzip on;'),
    does: 'compresses',
    version: () => versionOf('nginx', '-v'),
  },
  'caddy, encode': {
    make: (setting, port) => caddy(setting, port, 'encode zstd gzip'),
    does: 'compresses',
    version: () => versionOf('caddy', 'version'),
  },
};

/** Makes the peers that this machine has; a program that is not installed is left out with a line that says so. */
export function makePeers(
  setting: Setting,
  firstPort: number,
  say: (line: string) => void,
): Peer[] {
  return Object.entries(MAKERS).flatMap(([name, { make, version, does = 'forwards' }], index) => {
    const port = firstPort + index * 2;
    try {
      return [{ name, port, does, version: version(), ...make(setting, port) }];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      say(`${name} is not installed: left out (bench/README.md says how to install it)`);
      return [];
    }
  });
}

/** @throws with `ENOENT` where the program is not installed */
export function versionOf(program: string, flag: string): string {
  // wrk says its version with its usage, and fails.
  const { error, stdout, stderr } = spawnSync(program, [flag], { encoding: 'utf8' });
  if (error) throw error;
  return /\d+\.\d+[\w.]*/.exec(stdout + stderr)?.[0] ?? 'unknown';
}

function nodeVersion(): string {
  return `Node ${process.versions.node}`;
}

function ourselves(proxy: object, cache: object = {}): Maker {
  return ({ originPort, cert, key }, port) => ({
    command: [process.execPath, ...PROXY_NODE_ARGS, here('peers/slots.js')],
    env: {
      ...NODE_OPTIONS,
      PORT: String(port),
      TLS_PORT: String(port + 1),
      ORIGIN: String(originPort),
      PROXY: JSON.stringify(proxy),
      CACHE: JSON.stringify(cache),
      CERT: cert,
      KEY: key,
    },
    tlsPort: port + 1,
  });
}

/** Over TLS a front is asked by a name, and h2load asks by an address. */
function onFront(sites: number): Maker {
  return ({ originPort }, port) => ({
    command: [process.execPath, ...PROXY_NODE_ARGS, here('peers/slots-front.js')],
    env: {
      ...NODE_OPTIONS,
      PORT: String(port),
      ORIGIN: String(originPort),
      SITES: String(sites),
    },
    tlsPort: null,
  });
}

function nginx(
  { folder, originPort, cert, key }: Setting,
  port: number,
  name = 'proxy',
  extra = '',
) {
  const config = nginxConfig(
    folder,
    name,
    `upstream origin { server 127.0.0.1:${originPort}; keepalive ${IDLE_CONNECTIONS}; keepalive_requests 1000000; }
  server {
    ${nginxListen(port, cert, key)}
    ${extra}
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }`,
  );
  return { command: ['nginx', '-p', folder, '-c', config], tlsPort: port + 1 };
}

function nginxListen(port: number, cert: string, key: string): string {
  return `listen 127.0.0.1:${port} reuseport;
    listen 127.0.0.1:${port + 1} ssl http2 reuseport;
    ssl_certificate ${cert};
    ssl_certificate_key ${key};`;
}

function nginxCache({ folder, originPort, cert, key }: Setting, port: number) {
  const config = nginxConfig(
    folder,
    'cache',
    `proxy_cache_path ${folder}/tmp/cache keys_zone=pages:10m;
  server {
    ${nginxListen(port, cert, key)}
    location / {
      proxy_pass http://127.0.0.1:${originPort};
      proxy_cache pages;
      proxy_cache_valid 200 1h;
      add_header X-Cache-Status $upstream_cache_status;
    }
  }`,
  );
  return { command: ['nginx', '-p', folder, '-c', config], tlsPort: port + 1 };
}

function varnish({ folder, originPort }: Setting, port: number) {
  const memory = ['-s', 'malloc,64M', '-p', 'thread_pools=1', '-t', '3600'];
  const where = ['-a', `127.0.0.1:${port}`, '-b', `127.0.0.1:${originPort}`];
  // Its own user could not read the folder, which is only ours.
  const alone = ['-F', '-j', 'none', '-n', join(folder, 'varnish')];
  return { command: ['varnishd', ...alone, ...where, ...memory], tlsPort: null };
}

/** Also the origin: nginx answering from files. */
export function nginxConfig(folder: string, name: string, servers: string): string {
  const file = join(folder, `${name}.conf`);
  mkdirSync(join(folder, 'tmp'), { recursive: true });
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/tmp/${name}-${kind};`)
    .join('\n  ');
  writeFileSync(
    file,
    `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
pid ${folder}/${name}.pid;
error_log ${folder}/${name}.error.log error;
events { worker_connections 16384; }
http {
  ${paths}
  access_log off;
  keepalive_requests 1000000;
  keepalive_timeout 65s;
  open_file_cache max=16;
  ${servers}
}
`,
  );
  return file;
}

function haproxy({ folder, originPort, cert, key }: Setting, port: number) {
  const file = join(folder, 'haproxy.cfg');
  const pem = join(folder, 'haproxy.pem');
  writeFileSync(pem, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'));
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 8000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
  option forwardfor
  http-reuse always
frontend public
  bind 127.0.0.1:${port}
  bind 127.0.0.1:${port + 1} ssl crt ${pem} alpn h2,http/1.1
  default_backend origin
backend origin
  server origin 127.0.0.1:${originPort} pool-max-conn ${IDLE_CONNECTIONS}
`,
  );
  return { command: ['haproxy', '-db', '-f', file], tlsPort: port + 1 };
}

function caddy({ folder, originPort, cert, key }: Setting, port: number, extra = '') {
  const forward = `${extra}
  reverse_proxy 127.0.0.1:${originPort} {
    transport http {
      keepalive_idle_conns ${IDLE_CONNECTIONS}
      keepalive_idle_conns_per_host ${IDLE_CONNECTIONS}
    }
  }`;
  const file = join(folder, `Caddyfile-${port}`);
  writeFileSync(
    file,
    `{
  admin off
  auto_https off
  default_sni localhost
}
http://127.0.0.1:${port} {
  bind 127.0.0.1
  ${forward}
}
https://localhost:${port + 1}, https://127.0.0.1:${port + 1} {
  bind 127.0.0.1
  tls ${cert} ${key}
  ${forward}
}
`,
  );
  return {
    command: ['caddy', 'run', '--config', file, '--adapter', 'caddyfile'],
    env: { GOMAXPROCS: '1', HOME: folder },
    tlsPort: port + 1,
  };
}

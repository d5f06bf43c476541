/** A certificate authority of our own: Debian's Pebble, with a DNS that sends every name to this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { onTestFinished } from 'vitest';
import { freePorts } from './free-ports.ts';
import { lacking } from './needs.ts';
import { tempFolder } from './temp-folder.ts';
import { until } from './until.ts';

export const lackingPebble = () => lacking('pebble', 'pebble-challtestsrv');

export interface Pebble {
  directory: string;
  /** PEM file of the root that Pebble's own certificate comes from, for `NODE_EXTRA_CA_CERTS`. */
  root: string;
  /** What Pebble has printed. */
  log(): string;
  /** How many orders it has been given. */
  orders(): number;
  /** How many certificates it has issued. */
  issued(): number;
  /** Calls the DNS's management, for instance `set-caa`, `set-servfail`. */
  dns(call: string, body: object): Promise<void>;
  end(): Promise<void>;
}

export interface PebbleOptions {
  /** Where it looks for an `http-01`, and for a `tls-alpn-01`. */
  httpPort: number;
  tlsPort: number;
  /** Of the certificates, in seconds. */
  lifetimeS?: number;
  /** How many nonces of a hundred it refuses. */
  refusedNonces?: number;
  /** Taken again by one that comes after another. */
  port?: number;
}

export async function startPebble(options: PebbleOptions): Promise<Pebble> {
  const folder = await tempFolder();
  const free = await freePorts(4);
  const [port = 0, management = 0, dns = 0, dnsManagement = 0] = free;
  const listen = options.port ?? port;
  const root = join(folder, 'root.pem');
  const key = join(folder, 'key.pem');
  const made = await generate([{ name: 'commonName', value: `Pebble's own on ${listen}` }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }] as never,
  });
  await writeFile(root, made.cert);
  await writeFile(key, made.private);
  const config = join(folder, 'pebble.json');
  const pebble = {
    listenAddress: `127.0.0.1:${listen}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: root,
    privateKey: key,
    httpPort: options.httpPort,
    tlsPort: options.tlsPort,
    ocspResponderURL: '',
    externalAccountBindingRequired: false,
    certificateValidityPeriod: options.lifetimeS ?? 90 * 86_400,
  };
  await writeFile(config, JSON.stringify({ pebble }));

  let printed = '';
  const keep = (child: ChildProcess) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
      });
    }
    return child;
  };
  const nothing = ['-http01', '', '-https01', '', '-tlsalpn01', ''];
  const names = keep(
    spawn('pebble-challtestsrv', [
      ...nothing,
      ...['-dns01', `127.0.0.1:${dns}`, '-management', `127.0.0.1:${dnsManagement}`],
      ...['-defaultIPv4', '127.0.0.1', '-defaultIPv6', ''],
    ]),
  );
  const ca = keep(
    spawn('pebble', ['-config', config, '-strict=false', '-dnsserver', `127.0.0.1:${dns}`], {
      env: {
        ...process.env,
        PEBBLE_VA_NOSLEEP: '1',
        PEBBLE_WFE_NONCEREJECT: String(options.refusedNonces ?? 5),
      },
    }),
  );
  const end = async () => {
    for (const child of [ca, names]) child.kill('SIGKILL');
    await until(
      () =>
        [ca, names].every(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null),
      'Pebble to end',
    );
  };
  onTestFinished(end);
  const directory = `https://localhost:${listen}/dir`;
  const trusted = await readFile(root);
  await until(() => answers(directory, trusted), `Pebble to listen: ${printed}`);
  const count = (what: RegExp) => printed.match(what)?.length ?? 0;
  return {
    directory,
    root,
    log: () => printed,
    orders: () => count(/Added order /g),
    issued: () => count(/Issued certificate serial/g),
    async dns(call, body) {
      const url = `http://127.0.0.1:${dnsManagement}/${call}`;
      const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(`${call}: ${answer.status}`);
    },
    end,
  };
}

function answers(url: string, ca: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    get(url, { ca, host: '127.0.0.1', servername: 'localhost', agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    }).on('error', () => resolve(false));
  });
}

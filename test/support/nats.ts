import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePorts } from './free-ports.ts';
import { tempFolder } from './temp-folder.ts';
import { until } from './until.ts';

/** A real nats-server with JetStream, on a loopback port of its own and with a store of its own. */
export interface NatsServer {
  port: number;
  url: string;
  pid(): number;
  /** From its next start on: lines of nats-server's own config. */
  configure(text: string): Promise<void>;
  /** Ends it at once, as a power cut would, and waits until it is gone. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Removes what it has stored; only while it does not run. */
  wipe(): Promise<void>;
}

/**
 * Ended with the running test.
 *
 * @param config lines of nats-server's own config
 */
export async function natsServer(config = ''): Promise<NatsServer> {
  const [port = 0] = await freePorts(1);
  const store = await mkdtemp(join(tmpdir(), 'nats-'));
  const file = join(await tempFolder(), 'nats.conf');
  await writeFile(file, config);
  let child: ChildProcess | null = null;
  const server: NatsServer = {
    port,
    url: `nats://127.0.0.1:${port}`,
    pid: () => child?.pid ?? 0,
    configure: (text) => writeFile(file, text),
    async kill() {
      const ending = child;
      child = null;
      if (ending === null || ending.exitCode !== null) return;
      ending.kill('SIGKILL');
      // One that was stopped dies as well; it only has to be waited for.
      await once(ending, 'exit');
    },
    async start() {
      const options = ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', store, '-c', file];
      const started = spawn('nats-server', options, { stdio: 'ignore' });
      child = started;
      const failed = once(started, 'error').then(([error]) => {
        throw error;
      });
      await Promise.race([failed, until(() => accepts(port), 'nats-server to listen')]);
      failed.catch(() => {});
    },
    wipe: () => rm(store, { recursive: true, force: true }),
  };
  onTestFinished(async () => {
    await server.kill();
    await rm(store, { recursive: true, force: true });
  });
  await server.start();
  return server;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (value: boolean) => {
      socket.destroy();
      resolve(value);
    };
    socket.once('data', () => answer(true));
    socket.once('error', () => answer(false));
  });
}

/** A way to NATS that can be cut, for one machine. */
export interface Relay {
  url: string;
  /** Nothing goes through any more, and nobody is told: as in a network that loses everything. */
  cut(): void;
  /** Everything goes through again; what was open before is broken off. */
  heal(): void;
}

/** @param delayMs each way */
export async function relayTo(target: number, delayMs = 0): Promise<Relay> {
  const [port = 0] = await freePorts(1);
  const open = new Set<Socket>();
  let isCut = false;
  const pass = (from: Socket, to: Socket) => {
    from.on('data', (bytes) => {
      const send = () => void (isCut || to.destroyed || to.write(bytes));
      if (delayMs > 0) setTimeout(send, delayMs);
      else send();
    });
    from.on('close', () => void (isCut || to.destroy()));
    from.on('error', () => {});
  };
  const server = createServer((visitor) => {
    open.add(visitor);
    visitor.on('close', () => open.delete(visitor)).on('error', () => {});
    if (isCut) return;
    const nats = connect(target, '127.0.0.1');
    open.add(nats);
    nats.on('close', () => open.delete(nats));
    pass(visitor, nats);
    pass(nats, visitor);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const breakAll = () => {
    for (const socket of open) socket.destroy();
  };
  onTestFinished(() => {
    breakAll();
    server.close();
  });
  return {
    url: `nats://127.0.0.1:${port}`,
    cut() {
      isCut = true;
    },
    heal() {
      isCut = false;
      breakAll();
    },
  };
}

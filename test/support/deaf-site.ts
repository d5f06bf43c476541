import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** How long a connection may take that is going to be made, in milliseconds. */
const CONNECT_MS = 300;

/** Answers each request with its target; prints those, and an empty line for each connection. */
const CODE = `
  const server = require('http').createServer((request, response) => {
    require('fs').writeSync(1, request.url + '\\n');
    response.end(request.url);
  });
  server.on('connection', () => require('fs').writeSync(1, '\\n'));
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('fs').writeSync(1, server.address().port + '\\n');
    process.kill(process.pid, 'SIGSTOP');
  });`;

export interface DeafSite {
  port: number;
  /** From here on it accepts connections. */
  wakeUp(): void;
  /** Whether all who have tried to connect so far are connected now, these others too. */
  hasAccepted(others: number): boolean;
  /** The targets of all requests that it has read. */
  heard(): string[];
}

/** A site whose process stands still, with its queue of connections full: until it wakes up, none is made. */
export async function startDeafSite(): Promise<DeafSite> {
  const child = spawn(process.execPath, ['-e', CODE], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk;
  });
  await once(child.stdout, 'data');
  const port = Number.parseInt(printed, 10);
  let tried = 1;
  while (await connects(port)) tried++;
  const lines = () => printed.split('\n').slice(1, -1);
  return {
    port,
    wakeUp: () => void child.kill('SIGCONT'),
    hasAccepted: (others) => lines().filter((line) => line === '').length >= tried + others,
    heard: () => lines().filter((line) => line !== ''),
  };
}

async function connects(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  const made = once(socket, 'connect').then(() => true);
  return Promise.race([made, delay(CONNECT_MS, false)]);
}

/** Visitors over HTTPS: on connections of their own, each with a handshake, and on one that is kept. */
import { Agent, request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';

export interface SecureLoad {
  /** Ends it. What failed is in the words of Node, each once with how often. */
  stop(): Promise<{ handshakes: number; requests: number; failed: Record<string, number> }>;
}

const TIMEOUT_MS = 20_000;

export function startSecureLoad(port: number, servername: string, fresh = 4): SecureLoad {
  let isOver = false;
  const counts = { handshakes: 0, requests: 0 };
  const failed: Record<string, number> = {};
  const ask = (agent: Agent | false): Promise<void> =>
    new Promise((resolve) => {
      const options = { host: '127.0.0.1', port, servername, rejectUnauthorized: false };
      const headers = { host: servername };
      const outgoing = request({ ...options, headers, agent, timeout: TIMEOUT_MS }, (answer) => {
        answer.resume();
        answer.on('end', () => {
          counts.requests++;
          if (answer.statusCode !== 200) fail(`status ${answer.statusCode}`);
          resolve();
        });
        answer.on('error', (error) => {
          fail(`body: ${error.message}`);
          resolve();
        });
      });
      const fail = (what: string) => {
        failed[what] = (failed[what] ?? 0) + 1;
      };
      outgoing.on('socket', (socket) => {
        if (!outgoing.reusedSocket) socket.once('secureConnect', () => counts.handshakes++);
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
      outgoing.on('error', (error) => {
        fail(error.message);
        resolve();
      });
      outgoing.end();
    });
  const kept = new Agent({ keepAlive: true, maxSockets: 1 });
  const visit = async (agent: Agent | false) => {
    while (!isOver) {
      await ask(agent);
      await delay(20);
    }
  };
  const visitors = [visit(kept), ...Array.from({ length: fresh }, () => visit(false))];
  return {
    async stop() {
      isOver = true;
      await Promise.all(visitors);
      kept.destroy();
      return { ...counts, failed };
    },
  };
}

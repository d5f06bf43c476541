/** What CAs may ask at this moment: put on every worker, and looked at from here, before the CA is told to look. */

import { X509Certificate } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { type PublicSide, publicSide } from '../../config/public-side.ts';
import type { Config } from '../../config/schema.ts';
import { SlotsError } from '../../errors.ts';
import { ACME_PROTOCOL, type Challenge, challengePath } from '../../wire/assignment.ts';

/** How long the workers may take to be there and to answer, in milliseconds: at a first start they come after the controller. */
const PLACE_TIMEOUT_MS = 60_000;
const LOOK_INTERVAL_MS = 200;
const ANSWER_TIMEOUT_MS = 2000;

export interface Challenges {
  /** What the assignment has of them. */
  current(): Challenge[];
  /**
   * Resolves when every worker has the answer and this machine's own port gives it.
   *
   * @returns takes it away again
   * @throws SlotsError `ACME_FAILED`
   */
  place(challenge: Challenge): Promise<() => void>;
}

export interface ChallengeParts {
  config: Pick<Config, 'host' | 'hosts' | 'ports' | 'proxy'>;
  /** How many workers are connected. */
  workers(): number;
  /** Resolves when every worker has acknowledged the current assignment. */
  assign(): Promise<void>;
}

export function createChallenges(
  parts: () => ChallengeParts,
  timeoutMs = PLACE_TIMEOUT_MS,
): Challenges {
  let challenges: Challenge[] = [];
  return {
    current: () => challenges,
    async place(challenge) {
      const { config, workers, assign } = parts();
      const side = publicSide(config);
      const deadline = performance.now() + timeoutMs;
      while (workers() < side.workers) {
        if (performance.now() > deadline) {
          const there = `${workers()} of ${side.workers} proxy workers are there`;
          throw notReady(challenge, there);
        }
        await delay(LOOK_INTERVAL_MS);
      }
      challenges = [...challenges, challenge];
      const remove = () => {
        challenges = challenges.filter((each) => each !== challenge);
        void assign().catch(() => {});
      };
      try {
        // A worker that comes from here on gets it with its first assignment.
        await assign();
        for (;;) {
          const wrong = await whatIsWrong(challenge, side);
          if (wrong === null) return remove;
          if (performance.now() > deadline) throw notReady(challenge, wrong);
          await delay(LOOK_INTERVAL_MS);
        }
      } catch (error) {
        remove();
        throw error;
      }
    },
  };
}

function notReady({ host }: Challenge, wrong: string): SlotsError {
  return new SlotsError('ACME_FAILED', `${host}: the CA was not asked to look, since ${wrong}`, {
    hint: '`slots doctor` says what keeps the proxy from its ports',
  });
}

async function whatIsWrong(
  challenge: Challenge,
  { host, http = 80, https }: PublicSide,
): Promise<string | null> {
  const address = ['::', '0.0.0.0'].includes(host) ? '127.0.0.1' : host;
  if (challenge.type === 'http-01') {
    const answer = await askHttp(challenge, address, http);
    return answer === challenge.answer ? null : `port ${http} of this machine does not answer`;
  }
  const shown = await askTls(challenge, address, https);
  const isOurs = shown !== null && new X509Certificate(challenge.cert).raw.equals(shown);
  return isOurs ? null : `port ${https} of this machine does not answer`;
}

function askHttp(
  { host, token }: Extract<Challenge, { type: 'http-01' }>,
  address: string,
  port: number,
): Promise<string | null> {
  return new Promise((resolve) => {
    const outgoing = request({
      host: address,
      port,
      path: challengePath(token),
      headers: { host },
      agent: false,
      timeout: ANSWER_TIMEOUT_MS,
    });
    outgoing.on('error', () => resolve(null));
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      answer.on('error', () => resolve(null));
      answer.on('end', () => resolve(answer.statusCode === 200 ? text : null));
    });
    outgoing.end();
  });
}

function askTls({ host }: Challenge, address: string, port: number): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = connect({
      host: address,
      port,
      servername: host,
      ALPNProtocols: [ACME_PROTOCOL],
      // Nobody vouches for it: it shows that it has the CA's token.
      rejectUnauthorized: false,
    });
    const end = (shown: Buffer | null) => {
      socket.destroy();
      resolve(shown);
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => end(null));
    socket.on('error', () => end(null));
    socket.on('close', () => end(null));
    socket.on('secureConnect', () => end(socket.getPeerCertificate().raw ?? null));
  });
}

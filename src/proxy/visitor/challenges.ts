/** A CA's questions, answered by what the newest assignment has of them. */
import { createSecureContext, type SecureContext } from 'node:tls';
import { type Challenge, challengePath } from '../../wire/assignment.ts';

export interface ChallengeAnswers {
  /** Replaces what was there. */
  set(challenges: readonly Challenge[]): void;
  /** The answer by plain HTTP, or `null` where nothing was asked. */
  http(path: string): string | null;
  /** What a handshake for `acme-tls/1` is answered with. */
  tls(host: string): SecureContext | undefined;
}

export function createChallengeAnswers(): ChallengeAnswers {
  let answers = new Map<string, string>();
  let contexts = new Map<string, SecureContext>();
  return {
    set(challenges) {
      answers = new Map();
      contexts = new Map();
      for (const challenge of challenges) {
        if (challenge.type === 'http-01') {
          answers.set(challengePath(challenge.token), challenge.answer);
        } else {
          const { host, cert, key } = challenge;
          contexts.set(host, createSecureContext({ cert, key }));
        }
      }
    },
    http: (path) => answers.get(path) ?? null,
    tls: (host) => contexts.get(host.toLowerCase()),
  };
}

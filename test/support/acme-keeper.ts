/** The keeper of certificates in this process, before a real CA. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { onTestFinished, type TestContext } from 'vitest';
import { proxySchema } from '../../src/config/proxy-schema.ts';
import type { AcmeConfig } from '../../src/config/tls-schema.ts';
import { createKey, openCa } from '../../src/controller/acme/ca.ts';
import { createKeeper } from '../../src/controller/acme/keeper.ts';
import type { Challenges } from '../../src/controller/acme/proving.ts';
import { renewalId } from '../../src/controller/acme/renewal-id.ts';
import { openAcmeStore } from '../../src/controller/acme/store.ts';
import { createChallengeAnswers } from '../../src/proxy/visitor/challenges.ts';
import { createRedirect } from '../../src/proxy/visitor/redirect.ts';
import type { Challenge } from '../../src/wire/assignment.ts';
import { collectedLog } from './collected-log.ts';
import { freePorts } from './free-ports.ts';
import { skipFor } from './needs.ts';
import { lackingPebble, startPebble } from './pebble.ts';
import { tempSite } from './temp-site.ts';

export const HOST = 'one.example';
const USUAL_ROOTS = getCACertificates('default');

/**
 * Pebble, and a worker's plain port that answers it.
 *
 * @param skip of the test's context: without Pebble there is no test. `isClosed`: the CA looks at a port where nobody listens
 */
export async function acmeKeeper(
  skip: TestContext['skip'],
  pebbleOptions: { refusedNonces?: number; isClosed?: boolean } = {},
) {
  skipFor(skip, lackingPebble());
  const [httpPort = 0, tlsPort = 0, nobodys = 0] = await freePorts(3);
  const { isClosed, ...more } = pebbleOptions;
  const pebble = await startPebble({ httpPort: isClosed ? nobodys : httpPort, tlsPort, ...more });
  setDefaultCACertificates([...USUAL_ROOTS, await readFile(pebble.root, 'utf8')]);
  const answers = createChallengeAnswers();
  const parts = { certificates: null, challenges: answers, ready: null };
  const plain = createRedirect(proxySchema.parse({}), 443, parts).listen(httpPort, '127.0.0.1');
  onTestFinished(() => void plain.close());
  await once(plain, 'listening');
  const placed: Challenge[] = [];
  const challenges: Challenges = {
    current: () => [],
    async place(challenge) {
      placed.push(challenge);
      answers.set([challenge]);
      return () => answers.set([]);
    },
  };
  const paths = await tempSite();
  const { log, events } = collectedLog();
  /** A controller that starts; it ends with the test. */
  const start = async (over: Partial<AcmeConfig> = {}) => {
    const acme: AcmeConfig = {
      email: 'me@example.com',
      agreeTos: true,
      hosts: [HOST],
      directory: pebble.directory,
      ...over,
    };
    const store = await openAcmeStore(paths, log);
    const loadCa = async () => ({ openCa, createKey, renewalId });
    const keeper = await createKeeper({ acme, httpPort, store, challenges, log, loadCa });
    void keeper.run();
    return { keeper, store };
  };
  return { pebble, paths, start, placed, events, httpPort };
}

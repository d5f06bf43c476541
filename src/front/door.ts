/** The two public ports: finds the site of each new connection, and gives it the connection. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { FrontConfig } from '../config/front.ts';
import { hostOf } from '../config/host-names.ts';
import { latin1 } from '../proxy/request/latin1.ts';
import { BAD_REQUEST, createErrorAnswers, NO_SUCH_HOST } from '../proxy/visitor/error-answer.ts';
import { endSoon } from '../proxy/visitor/linger.ts';
import { owned, readByBuffer } from '../proxy/visitor/read-by-buffer.ts';
import { inheritTcpOptions, TCP_OPTIONS } from '../proxy/visitor/tcp-options.ts';
import { chosenByName } from '../proxy/visitor/tls.ts';
import { ACME_PROTOCOL } from '../wire/assignment.ts';
import { readFirstHead } from './first-head.ts';
import { readyAnswer } from './ready.ts';
import type { FrontSite } from './site.ts';
import { createUndecided, type Undecided } from './undecided.ts';

/** A longer head is read no further for its host. */
const LONGEST_HEAD = 16 * 1024;

/** What has come of a connection's first request; not there once its site is found. */
const RECEIVED = Symbol('received');

type Newcomer = Socket & { [RECEIVED]?: Buffer | null | undefined };

export interface Door {
  plain: Server;
  secure: Server;
  undecided: Undecided;
  /** How many connections and handshakes were for hosts that no site has. */
  unknownHost(): number;
}

export interface DoorParts {
  config: FrontConfig;
  /** @param host as `hostOf` gives it */
  find(host: string): FrontSite | undefined;
  mayOpen(site: FrontSite): boolean;
  /** Whether a load balancer may send visitors to this machine: `null` where no site has a fleet. */
  ready(): boolean | null;
}

export function createDoor({ config, find, mayOpen, ready }: DoorParts): Door {
  const undecided = createUndecided(config);
  let unknownHosts = 0;
  const errors = createErrorAnswers(null);
  const unknown = errors.raw(undefined, NO_SUCH_HOST);
  const bad = errors.raw(undefined, BAD_REQUEST);

  const admit = (site: FrontSite, socket: Socket): boolean => {
    if (mayOpen(site)) return true;
    site.turnAway(socket);
    return false;
  };

  const refusal = (text: string): string => {
    unknownHosts++;
    return text.startsWith('HEAD ') ? headOnly(unknown) : unknown;
  };

  const decide = (socket: Newcomer, bytes: Buffer): void => {
    const before = socket[RECEIVED];
    const received = before ? Buffer.concat([before, bytes]) : bytes;
    const text = latin1(received, 0, Math.min(received.length, LONGEST_HEAD));
    const head = readFirstHead(text);
    if (head === 'more' && received.length < LONGEST_HEAD) {
      socket[RECEIVED] = owned(received);
      return;
    }
    undecided.remove(socket);
    socket[RECEIVED] = undefined;
    if (head === 'more' || head === 'none') {
      endSoon(socket, bad);
      return;
    }
    const site = find(head.host);
    if (site === undefined) {
      // A load balancer asks a machine, by its address or by a name that no site need have.
      endSoon(socket, readyAnswer(text, ready) ?? refusal(text));
    } else if (admit(site, socket)) {
      site.takePlain(socket, received);
    }
  };

  // One function for all connections, and none is taken away: that costs more than a look at whether it is still wanted.
  function onRead(this: Newcomer, length: number, buffer: Buffer): boolean {
    const bytes = buffer.subarray(0, length);
    // Whoever has the connection now reads its stream.
    if (this[RECEIVED] === undefined) return this.push(owned(bytes));
    decide(this, bytes);
    return !this.isPaused();
  }
  function onData(this: Newcomer, bytes: Buffer): void {
    if (this[RECEIVED] !== undefined) decide(this, bytes);
  }
  function onEnd(this: Newcomer): void {
    if (this[RECEIVED] !== undefined) this.destroy();
  }

  const plain = createServer({ ...TCP_OPTIONS, allowHalfOpen: true }, (socket: Newcomer) => {
    undecided.add(socket);
    socket[RECEIVED] = null;
    if (!readByBuffer(socket, onRead)) socket.on('data', onData);
    socket.on('end', onEnd).on('error', ignore);
  });

  const secure = createTlsServer({
    ...TCP_OPTIONS,
    minVersion: 'TLSv1.2',
    handshakeTimeout: config.limits.idleTimeoutMs,
    ...chosenByName({
      // Without one the handshake fails by an alert: a certificate would name a site.
      contextFor(name) {
        const host = hostOf(name);
        const site = find(host);
        if (site === undefined) unknownHosts++;
        return site?.secureContext(host);
      },
      challengeFor(name) {
        const host = hostOf(name);
        return find(host)?.challenge(host);
      },
    }),
  });
  secure.on('connection', (socket: Socket) => undecided.add(socket));
  secure.on('secureConnection', (socket: TLSSocket) => {
    // Node's own name of the TCP connection below.
    const { _parent: below } = socket as TLSSocket & { _parent?: Socket };
    if (below) undecided.remove(below);
    // The handshake is all that a CA looks at (RFC 8737 §3).
    if (socket.alpnProtocol === ACME_PROTOCOL) {
      endSoon(socket, '');
      return;
    }
    const { servername } = socket as TLSSocket & { servername?: string | false };
    const site = servername ? find(hostOf(servername)) : undefined;
    if (site === undefined) socket.destroy();
    else if (admit(site, socket)) site.takeSecure(socket);
  });
  inheritTcpOptions(plain);
  inheritTcpOptions(secure);
  return { plain, secure, undecided, unknownHost: () => unknownHosts };
}

function headOnly(answer: string): string {
  return answer.slice(0, answer.indexOf('\r\n\r\n') + 4);
}

function ignore(): void {}

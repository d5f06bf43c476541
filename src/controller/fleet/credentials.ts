/** How this machine shows itself to NATS, by the environment; and what NATS has against it, in words. */
import { readFileSync } from 'node:fs';
import {
  credsAuthenticator,
  type NodeConnectionOptions,
  PermissionViolationError,
} from '@nats-io/transport-node';
import { messageOf } from '../../errors.ts';

export type Environment = Record<string, string | undefined>;

/**
 * Read anew for each connection, so that files which were replaced count.
 *
 * @throws Error that names the variable whose file cannot be used
 */
export function credentials(env: Environment): Partial<NodeConnectionOptions> {
  const { NATS_CREDS, NATS_USER, NATS_PASSWORD, NATS_TOKEN } = env;
  if (NATS_CREDS) {
    return { authenticator: credsAuthenticator(readNamed('NATS_CREDS', NATS_CREDS)) };
  }
  if (NATS_USER) return { user: NATS_USER, pass: NATS_PASSWORD ?? '' };
  return NATS_TOKEN ? { token: NATS_TOKEN } : {};
}

/**
 * A server says in plain text whether it has TLS, and so may somebody between: with `tls://` it is not believed that it has none.
 */
export function tlsOptions(server: string, env: Environment): Partial<NodeConnectionOptions> {
  const { NATS_CA, NATS_CERT, NATS_KEY } = env;
  if (!server.startsWith('tls:') && !NATS_CA && !NATS_CERT) return {};
  const { hostname } = new URL(server);
  const options = {
    // Of an address the client names no host, and Node then looks for "localhost" in the certificate (@nats-io/transport-node
    // 3.4, NodeTransport.startTLS).
    host: hostname.replace(/^\[|\]$/g, ''),
    ...(NATS_CA && { ca: text('NATS_CA', NATS_CA) }),
    ...(NATS_CERT && { cert: text('NATS_CERT', NATS_CERT) }),
    ...(NATS_KEY && { key: text('NATS_KEY', NATS_KEY) }),
  };
  return { tls: options };
}

function text(variable: string, file: string): string {
  return readNamed(variable, file).toString();
}

function readNamed(variable: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`the file of ${variable} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

export interface Refusal {
  /** After "NATS at <servers>". */
  what: string;
  hint: string;
}

/** Node's and OpenSSL's codes of certificates that are not taken (node:tls, "X509 certificate error codes"). */
const UNTRUSTED = /^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CERT_|ERR_TLS_CERT_|INVALID_CA|HOSTNAME_)/;

/** Why no connection came about: pure. */
export function refusal(error: unknown, env: Environment): Refusal {
  const why = messageOf(error);
  const { name, code } = error as { name?: string; code?: string };
  if (typeof code === 'string' && UNTRUSTED.test(code)) {
    const by = env.NATS_CA
      ? `by the CA in ${env.NATS_CA} (NATS_CA)`
      : 'by the CAs that Node knows (NATS_CA names another)';
    return {
      // Node's advice to start it with an option is none that anybody could follow here.
      what: `has a certificate that is not trusted ${by}: ${why.split(';')[0]}`,
      hint: "set NATS_CA to a file with the certificate of the server's CA, for `slots down && slots up`; the certificate must name the host that is in `fleet.servers`",
    };
  }
  if (name === 'AuthorizationError' || name === 'UserAuthenticationExpiredError') {
    return {
      what: `refuses ${identity(env)}: ${why}`,
      hint: 'set NATS_USER and NATS_PASSWORD, NATS_CREDS or NATS_TOKEN to what the server knows, for `slots down && slots up`',
    };
  }
  const denied = [error, (error as Error).cause].find(
    (one) => one instanceof PermissionViolationError,
  );
  if (denied) {
    const { operation, subject } = denied;
    return {
      what: `does not let ${identity(env)} ${operation} to ${subject}`,
      hint: 'docs/fleet.md lists the subjects that the user needs, under Security',
    };
  }
  if (why.includes("does not support 'tls'")) {
    return {
      what: 'has no TLS, which `tls://` or NATS_CA asks for: nothing was sent to it',
      hint: 'give the server a `tls` block (docs/fleet.md), or take `nats://` in a network that is yours alone',
    };
  }
  if (env.NATS_CREDS && why.includes('credentials')) {
    return {
      what: `cannot be asked with ${identity(env)}: ${why}`,
      hint: 'a creds file has a JWT and a seed, as `nsc generate creds` writes them',
    };
  }
  return {
    what: `cannot be used: ${why}`,
    hint: 'the fleet needs a nats-server with JetStream (`nats-server -js`); see docs/fleet.md',
  };
}

/** Never a secret: names and files only. */
function identity({ NATS_CREDS, NATS_USER, NATS_TOKEN }: Environment): string {
  if (NATS_CREDS) return `the credentials in ${NATS_CREDS} (NATS_CREDS)`;
  if (NATS_USER) return `user ${NATS_USER} (NATS_USER, NATS_PASSWORD)`;
  return NATS_TOKEN
    ? 'the token (NATS_TOKEN)'
    : 'this machine, whose environment has no credentials';
}

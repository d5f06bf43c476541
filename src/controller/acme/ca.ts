/** The only file that knows acme-client: one CA, asked step by step. */
import acme, { type Authorization, type Order as CaOrder } from 'acme-client';
import type { ChallengeType } from './decide.ts';
import { CaRefusal, CaUnreachable, type Problem, parseRetryAfter, toProblem } from './problem.ts';

export type { CaOrder };

/** For one answer of the CA, in milliseconds. */
const ANSWER_TIMEOUT_MS = 30_000;

/** How often a refused nonce is tried again with the next one (RFC 8555 §6.5); Pebble refuses half of them. */
const NONCE_TRIES = 30;

export interface PlaceOptions {
  host: string;
  profile: string | undefined;
  /** The renewal information's id of the certificate that this one replaces (RFC 9773 §5). */
  replaces: string | null;
}

/** What the CA has to be shown of a host. */
export interface Proof {
  /** Of the challenge's URL: it is told there that the answer is in place. */
  url: string;
  token: string;
  /** The key authorization. */
  answer: string;
  /** The certificate and key that answer a `tls-alpn-01`; `null` for `http-01`. */
  tls: { cert: string; key: string } | null;
}

/** Each call rejects with `CaRefusal` or `CaUnreachable`. */
export interface Ca {
  /** @returns the account's URL */
  register(email: string): Promise<string>;
  /** @returns the order's URL */
  place(options: PlaceOptions): Promise<string>;
  order(url: string): Promise<CaOrder>;
  authorizations(order: CaOrder): Promise<Authorization[]>;
  /** @returns `null` where the CA does not offer this challenge */
  proof(authorization: Authorization, type: ChallengeType): Promise<Proof | null>;
  /** The answer is in place: the CA may look. */
  tell(proof: Proof): Promise<void>;
  finalize(order: CaOrder, host: string, key: string): Promise<void>;
  /** The certificate with its chain. */
  certificate(order: CaOrder): Promise<string>;
  /** Where renewal information is asked for, or `null` where the CA has none. */
  renewalInfo(id: string): Promise<RenewalInfo | null>;
}

export interface RenewalInfo {
  start: number;
  end: number;
  retryAfterMs: number | null;
}

export interface Account {
  /** PEM. */
  key: string;
  /** `null` until it is registered. */
  url: string | null;
}

raiseProblems();

export function openCa(directoryUrl: string, account: Account): Ca {
  const client = new acme.Client({
    directoryUrl,
    accountKey: account.key,
    ...(account.url !== null && { accountUrl: account.url }),
  });
  // Not an option of the client, which gives up after five.
  const { http } = client as unknown as {
    http: { maxBadNonceRetries: number; getDirectory(): Promise<Record<string, unknown>> };
  };
  http.maxBadNonceRetries = NONCE_TRIES;

  return {
    async register(email) {
      await client.createAccount({ termsOfServiceAgreed: true, contact: [`mailto:${email}`] });
      return client.getAccountUrl();
    },
    async place({ host, profile, replaces }) {
      const order = {
        identifiers: [{ type: 'dns', value: host }],
        ...(profile !== undefined && { profile }),
        ...(replaces !== null && { replaces }),
      };
      return (await client.createOrder(order)).url;
    },
    order: (url) => client.getOrder({ url } as CaOrder),
    authorizations: (order) => client.getAuthorizations(order),
    async proof(authorization, type) {
      const challenge = authorization.challenges.find((each) => each.type === type);
      if (!challenge) return null;
      const answer = await client.getChallengeKeyAuthorization(challenge);
      const { url, token } = challenge;
      if (type === 'http-01') return { url, token, answer, tls: null };
      const key = await acme.crypto.createPrivateEcdsaKey();
      const [, cert] = await acme.crypto.createAlpnCertificate(authorization, answer, key);
      return { url, token, answer, tls: { cert: String(cert), key: String(key) } };
    },
    async tell({ url }) {
      await client.completeChallenge({ url } as Parameters<typeof client.completeChallenge>[0]);
    },
    async finalize(order, host, key) {
      const [, request] = await acme.crypto.createCsr({ altNames: [host] }, key);
      await client.finalizeOrder(order, request);
    },
    certificate: (order) => client.getCertificate(order),
    async renewalInfo(id) {
      const { renewalInfo } = await http.getDirectory();
      if (typeof renewalInfo !== 'string') return null;
      return askRenewalInfo(`${renewalInfo.replace(/\/$/, '')}/${id}`);
    },
  };
}

/** A private key for an account or a certificate, PEM. */
export async function createKey(): Promise<string> {
  return String(await acme.crypto.createPrivateEcdsaKey());
}

/** A plain GET, without the account's signature (RFC 9773 §4.1). */
async function askRenewalInfo(url: string): Promise<RenewalInfo> {
  const { data, headers } = await acme.axios.get(url, { validateStatus: null });
  const { start, end } = (data?.suggestedWindow ?? {}) as { start?: string; end?: string };
  const window = { start: Date.parse(start ?? ''), end: Date.parse(end ?? '') };
  if (!(window.end > window.start))
    throw new CaUnreachable('its renewal information has no window');
  return { ...window, retryAfterMs: parseRetryAfter(headers['retry-after'], Date.now()) };
}

/**
 * Of each answer that is an error, the CA's reason and when to come back: acme-client keeps neither. It also waits and tries
 * again by itself, in a way that hides a connection's failure; the tries are ours (decide.ts).
 */
function raiseProblems(): void {
  const { axios } = acme;
  axios.defaults.timeout = ANSWER_TIMEOUT_MS;
  axios.interceptors.response.clear();
  axios.interceptors.response.use(null, (error: unknown) => {
    const { response, code, message, config } = error as {
      response?: { status: number; data: unknown; headers: Record<string, unknown> };
      code?: string;
      message?: string;
      config?: { url?: string };
    };
    if (!response) {
      const host = URL.canParse(config?.url ?? '') ? new URL(config?.url ?? '').host : 'the CA';
      throw new CaUnreachable(`${host} cannot be reached: ${message || code}`);
    }
    const { status, data, headers } = response;
    if (status < 400) return response;
    const problem = toProblem(data, status, parseRetryAfter(headers['retry-after'], Date.now()));
    // The client tries these again by itself, with the nonce that came with it.
    if (problem.type === 'badNonce') return response;
    throw raised(problem, status);
  });
}

function raised(problem: Problem, status: number): Error {
  // Let's Encrypt answers 503 with this type while it is busy as a whole.
  if (status < 500 || problem.type === 'rateLimited') return new CaRefusal(problem);
  return new CaUnreachable(`it answered ${status}: ${problem.detail}`, problem.retryAfterMs);
}

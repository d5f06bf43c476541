/** `slots/certs/state.json`: what must outlive the controller, besides the certificates themselves. */
import { z } from 'zod';

const challengeType = z.enum(['http-01', 'tls-alpn-01']);
const ms = z.number();

/** One order, by what has been done of it. Each phase is on disk before its work begins. */
const orderSchema = z.discriminatedUnion('phase', [
  /** The CA may have been asked already, and then its answer is lost: the only phase that is begun anew. */
  z.object({ phase: z.literal('placing'), directory: z.string() }),
  /** The CA is shown that the host is ours. */
  z.object({
    phase: z.literal('proving'),
    directory: z.string(),
    url: z.string(),
    challenge: challengeType,
  }),
  /** The CA gets the key's public half. */
  z.object({ phase: z.literal('finalizing'), directory: z.string(), url: z.string() }),
  /** The CA signs, and the certificate is fetched. */
  z.object({ phase: z.literal('collecting'), directory: z.string(), url: z.string() }),
]);

/** Tries that failed in a row, and the last one's reason. */
const failuresSchema = z.object({
  count: z.int().min(1),
  at: ms,
  retryAt: ms,
  /** The CA has named a time before which it does not want to be asked. */
  askedToWait: z.boolean(),
  error: z.string(),
  hint: z.string().nullable(),
  /** How the host was to be proven, where that has failed. */
  challenge: challengeType.nullable(),
});

const windowSchema = z.object({
  /** Of the certificate that it is about. */
  serial: z.string(),
  /** `null` where the CA has said nothing. */
  start: ms.nullable(),
  end: ms.nullable(),
  nextLookAt: ms,
});

const hostSchema = z.object({
  order: orderSchema.nullable(),
  failures: failuresSchema.nullable(),
  window: windowSchema.nullable(),
  /** When certificates were had in the last day. */
  ordered: z.array(ms),
  /** Of the CA that gave the certificate. */
  directory: z.string().nullable(),
  /** The certificate whose late renewal others have been told of: its serial number, or `none`. */
  told: z.string().nullable().default(null),
});

export const acmeStateSchema = z.object({
  version: z.literal(1),
  hosts: z.record(z.string(), hostSchema),
  /** The account's URL at each CA, and what it was registered with. */
  accounts: z.record(z.string(), z.object({ url: z.string(), email: z.string() })),
});

export type Order = z.output<typeof orderSchema>;
export type Failures = z.output<typeof failuresSchema>;
export type HostRecord = z.output<typeof hostSchema>;
export type AcmeState = z.output<typeof acmeStateSchema>;

export const EMPTY_ACME_STATE: AcmeState = { version: 1, hosts: {}, accounts: {} };

export const NEW_HOST: HostRecord = {
  order: null,
  failures: null,
  window: null,
  ordered: [],
  directory: null,
  told: null,
};

import { z } from 'zod';

export const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';

const HOST =
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** A DNS name, in lower case from here on. */
export const hostName = z
  .string()
  .toLowerCase()
  .regex(HOST, 'a host name such as www.example.com, without a scheme, a port or "*"')
  .refine((host) => !/^[\d.]+$/.test(host), { message: 'a host name, not an address' });

const directory = z.url({ protocol: /^https$/, error: "the https URL of a CA's ACME directory" });

const AGREE = "true, once you have read the CA's terms of service and agree to them";

const acmeSchema = z.strictObject({
  /** Where the CA writes to when something is wrong with the account. */
  email: z.email({ error: 'an e-mail address' }),
  /** Has to be `true`: you agree to the terms of service of the CA, and of the one at `fallbackDirectory`. */
  agreeTos: z.literal(true, { error: AGREE }),
  /** The names that visitors use, each of which gets a certificate. The first is also for those who name none. */
  hosts: z
    .array(hostName)
    .min(1, 'at least one host name')
    .max(100)
    .refine((hosts) => new Set(hosts).size === hosts.length, { message: 'each host once' }),
  /** The CA's ACME directory. Its own certificate has to be one that Node trusts (`NODE_EXTRA_CA_CERTS`). */
  directory: directory.default(LETS_ENCRYPT),
  /** One of the CA's profiles, for instance Let's Encrypt's `shortlived`. */
  profile: z.string().min(1).optional(),
  /** The ACME directory of another CA, which is asked in turns with the first after three failures. */
  fallbackDirectory: directory.optional(),
});

/** `true` is what people write first. */
const hstsSchema = z
  .union([
    z.literal(false),
    z.strictObject({
      /** How long browsers go by it, in seconds. There is no way back before that: begin with little. */
      maxAgeS: z.int().min(0).default(31_536_000),
      /** Whether it is for all names below the host too. */
      includeSubDomains: z.boolean().default(false),
      /** Asks browsers to be shipped with it, which needs `includeSubDomains` and a year. */
      preload: z.boolean().default(false),
    }),
    z.literal(true),
  ])
  .default(false);

/** `proxy.tls` of the config. */
export const tlsSchema = z
  .strictObject({
    /** PEM file of the certificate and its chain. Read again when it changes. With `key`, or `acme` instead of both. */
    cert: z.string().min(1).optional(),
    /** PEM file of the private key. Read again when it changes. */
    key: z.string().min(1).optional(),
    /** Order certificates from a CA, and renew them. They are kept in `slots/certs/`. */
    acme: acmeSchema.optional(),
    /** A port that answers plain HTTP with a redirect to HTTPS, and with `acme` the CA's questions (HTTP-01). */
    redirectHttp: z.int().min(1).max(65_535).optional(),
    /** `Strict-Transport-Security` on each answer, unless the site says its own; `true` for the defaults. */
    hsts: hstsSchema,
    /** The one host that the site is to be found at: requests for others are sent there (308), but not those by an address. */
    canonicalHost: hostName.optional(),
  })
  .superRefine(({ cert, key, acme }, context) => {
    const refuse = (message: string) => context.addIssue({ code: 'custom', message });
    if (acme && (cert !== undefined || key !== undefined)) {
      refuse('either "acme", or "cert" and "key"');
    }
    if (acme || (cert !== undefined && key !== undefined)) return;
    if (cert === undefined && key === undefined) refuse('expected "cert" and "key", or "acme"');
    // As if the key were not optional: the message is zod's own.
    else {
      const missing = cert === undefined ? 'cert' : 'key';
      const issue = { code: 'invalid_type', expected: 'string', input: undefined } as const;
      context.issues.push({ ...issue, path: [missing] });
    }
  });

export type TlsConfig = z.output<typeof tlsSchema>;
export type AcmeConfig = z.output<typeof acmeSchema>;

/** The value of `Strict-Transport-Security` (RFC 6797 §6.1); `null` when it is off. */
export function hstsField(tls: Pick<TlsConfig, 'hsts'> | undefined): string | null {
  if (!tls?.hsts) return null;
  const { maxAgeS, includeSubDomains, preload } =
    tls.hsts === true
      ? { maxAgeS: 31_536_000, includeSubDomains: false, preload: false }
      : tls.hsts;
  const parts = [`max-age=${maxAgeS}`];
  if (includeSubDomains) parts.push('includeSubDomains');
  if (preload) parts.push('preload');
  return parts.join('; ');
}

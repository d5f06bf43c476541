/** `$SLOTS_HOME/front.json`: the front that several sites share. */
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { SlotsError } from '../errors.ts';
import { describeIssue } from './issue.ts';
import { milliseconds } from './milliseconds.ts';

const port = z.int().min(1).max(65_535);
const count = z.int().min(1);

export const frontSchema = z.strictObject({
  /** Processes that share the ports. Each holds every site. */
  workers: z.int().min(1).max(64).default(2),
  /** The public ports of all sites. */
  ports: z
    .strictObject({
      /** Plain HTTP: sites without a certificate, and redirects to HTTPS. */
      http: port.default(80),
      /** HTTPS, for the sites that have `proxy.tls`. */
      https: port.default(443),
    })
    .prefault({})
    .refine(({ http, https }) => http !== https, { message: 'two different ports' }),
  /** Address to listen on. `::` is every one, IPv4 and IPv6; every IPv4 one where there is no IPv6. */
  host: z.string().min(1).default('::'),
  /** Per worker, over all sites; each site has its own `proxy.limits` besides. */
  limits: z
    .strictObject({
      /** Open connections. Half of them are shared out among the sites, and no site takes another one's share. */
      connections: count.default(16_384),
      /** Connections that have not said yet which host they are for; one more closes the one that is silent the longest. */
      undecided: count.default(2048),
      /** How long a connection may take to say which host it is for, TLS included, in milliseconds from its first byte on. */
      headersTimeoutMs: milliseconds.min(1).default(15_000),
      /** How long a connection may be silent before its first byte, in milliseconds. */
      idleTimeoutMs: milliseconds.min(1).default(65_000),
      /** Memory of one site's release cache, in bytes: the smaller of this and its `cache.maxBytes` counts. */
      cacheBytesPerSite: z
        .int()
        .min(0)
        .default(64 * 1024 ** 2),
    })
    .prefault({}),
  /** How long open requests may go on when a worker ends, in milliseconds. */
  drainTimeoutMs: milliseconds.default(30_000),
});

export type FrontConfig = z.output<typeof frontSchema>;

/**
 * @param file need not be there: everything has a default
 * @throws SlotsError `CONFIG_UNREADABLE`, `CONFIG_INVALID`, naming the file and the key
 */
export function loadFrontConfig(file: string): FrontConfig {
  if (!existsSync(file)) return frontSchema.parse({});
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new SlotsError('CONFIG_UNREADABLE', `${file}: ${(cause as Error).message}`, { cause });
  }
  const parsed = frontSchema.safeParse(found, { reportInput: true });
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `${file}: ${describeIssue(issue)}`);
  throw new SlotsError('CONFIG_INVALID', lines.join('\n'));
}

/** For whoever can go on without it: the defaults instead of a bad file. Starting the front says what is wrong with it. */
export function usableFrontConfig(file: string): FrontConfig {
  try {
    return loadFrontConfig(file);
  } catch {
    return frontSchema.parse({});
  }
}

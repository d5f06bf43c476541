/** `slots front status`: the sites, their hosts and certificates, and what goes on. */
import { readFileSync } from 'node:fs';
import { loadFrontConfig } from '../../config/front.ts';
import {
  type RegisteredSite,
  type Registration,
  readRegistrations,
} from '../../config/registered-site.ts';
import { certificateFacts, certificateFile } from '../../slots/certificates.ts';
import type { HomePaths } from '../../slots/home.ts';
import { sitePaths } from '../../slots/paths.ts';
import type { Slot } from '../../slots/slot.ts';
import { VERSION } from '../../version.ts';
import { bytes, table } from '../terminal/format.ts';
import { style } from '../terminal/style.ts';
import { type FrontWorker, frontWorkers, servedBy } from './workers.ts';

export interface FrontStatus {
  version: string;
  home: string;
  ports: { http: number; https: number };
  workers: {
    pid: number;
    /** Whether its PM2 daemon has died. */
    orphaned: boolean;
    uptimeMs: number;
    memoryBytes: number;
    /** Connections that have not said yet which host they are for. */
    undecided: number;
    /** Connections for hosts that no site has, since the worker started. */
    unknownHost: number;
  }[];
  sites: SiteOnFront[];
}

export interface SiteOnFront {
  name: string;
  /** `null` of a registration that cannot be read. */
  root: string | null;
  hosts: string[];
  /** On how many workers. */
  workers: number;
  active: Slot | null;
  release: string | null;
  /** `null` without TLS. */
  certificate: { file: string; issuer: string | null; validTo: string | null } | null;
  /** Over all workers: open now; answers of the releases in its slots, and those of them that were 5xx. */
  connections: number;
  requests: number;
  errors: number;
  /** Connections that were closed at once, since the site had too many. */
  overLimit: number;
  /** Why it is not served, or not by HTTPS; or `null`. */
  problem: string | null;
}

export async function frontStatus(home: HomePaths): Promise<FrontStatus> {
  const workers = await frontWorkers(home);
  const { ports } = loadFrontConfig(home.frontConfig);
  return {
    version: VERSION,
    home: home.home,
    ports,
    workers: workers.map(({ pid, isOrphan, status }) => ({
      pid,
      orphaned: isOrphan,
      uptimeMs: status?.uptimeMs ?? 0,
      memoryBytes: status?.memoryBytes ?? 0,
      undecided: status?.undecided ?? 0,
      unknownHost: status?.unknownHost ?? 0,
    })),
    sites: readRegistrations(home).map((registration) => siteOnFront(registration, workers)),
  };
}

function siteOnFront(registration: Registration, workers: readonly FrontWorker[]): SiteOnFront {
  const { name, site } = registration;
  const served = site ? servedBy(workers, site.root) : [];
  const [first] = served;
  const sum = (of: (one: (typeof served)[number]) => number) =>
    served.reduce((all, one) => all + of(one), 0);
  const refused = workers.flatMap(({ status }) => status?.refused ?? []);
  const certificate = site ? certificateOf(site) : null;
  return {
    name,
    root: site?.root ?? null,
    hosts: first?.hosts ?? site?.hosts ?? [],
    workers: served.length,
    active: first?.active ?? null,
    release: first?.release ?? null,
    certificate,
    connections: sum((one) => one.connections),
    requests: sum((one) => one.requests),
    errors: sum((one) => one.errors),
    overLimit: sum((one) => one.overLimit),
    problem:
      (site === null ? registration.why : null) ??
      refused.find((one) => one.name === name)?.why ??
      served.find(({ problem }) => problem !== null)?.problem ??
      (workers.length > served.length ? 'not every worker serves it' : null),
  };
}

function certificateOf({ root, config }: RegisteredSite): SiteOnFront['certificate'] {
  const { tls } = config.proxy;
  if (!tls) return null;
  const file = tls.cert ?? certificateFile(sitePaths(root), tls.acme?.hosts[0] ?? '');
  try {
    const { issuer, notAfter } = certificateFacts(readFileSync(file, 'utf8'));
    return { file, issuer, validTo: notAfter.toISOString() };
  } catch {
    return { file, issuer: null, validTo: null };
  }
}

export function renderFront({ ports, workers, sites }: FrontStatus): string {
  const head =
    workers.length === 0
      ? style('red', 'the front does not run')
      : `${style('bold', 'slots-front')} on ${ports.http} and ${ports.https}, ${workers.length} workers: ${workers
          .map((one) => `${one.pid} (${bytes(one.memoryBytes)}${one.orphaned ? ', orphaned' : ''})`)
          .join(', ')}`;
  if (sites.length === 0)
    return `${head}\nno site is registered: \`slots up\` of a site with "hosts" does it`;
  const rows = sites.map((site) => [
    site.name,
    site.hosts.join(' '),
    site.release ?? '-',
    site.certificate ? `until ${site.certificate.validTo?.slice(0, 10) ?? '?'}` : '-',
    String(site.connections),
    String(site.requests),
    String(site.errors),
  ]);
  const titles = ['site', 'hosts', 'release', 'certificate', 'open', 'answers', '5xx'];
  const problems = sites.flatMap(({ name, problem }) =>
    problem ? [style('yellow', `${name}: ${problem}`)] : [],
  );
  return [head, table([titles, ...rows]), ...problems].join('\n');
}

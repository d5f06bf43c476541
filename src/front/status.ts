/** What a worker of the front says of itself. */
import { VERSION } from '../version.ts';
import type { FrontSiteStatus, FrontWorkerStatus } from '../wire/front-status.ts';
import type { Counters } from '../wire/messages.ts';
import type { Door } from './door.ts';
import type { FrontSite } from './site.ts';
import type { Sites } from './sites.ts';

export function workerStatus(sites: Sites, door: Door): FrontWorkerStatus {
  return {
    pid: process.pid,
    version: VERSION,
    uptimeMs: Math.round(process.uptime() * 1000),
    memoryBytes: process.memoryUsage.rss(),
    undecided: door.undecided.count(),
    unknownHost: door.unknownHost(),
    sites: sites.all().map(siteStatus),
    refused: sites.refused(),
  };
}

function siteStatus(site: FrontSite): FrontSiteStatus {
  const { registered, plane } = site;
  const { epoch, active, slots } = plane.current();
  return {
    name: registered.name,
    root: registered.root,
    hosts: registered.hosts,
    since: registered.since,
    tls: registered.config.proxy.tls !== undefined,
    problem: site.problem(),
    epoch,
    active,
    release: active && slots[active].release,
    connections: site.open(),
    ...answers(plane.counters),
    overLimit: site.overLimit(),
  };
}

function answers({ traffic, refused }: Counters): { requests: number; errors: number } {
  const classes = [...traffic.map((each) => each.classes), refused];
  const sum = (from: number) =>
    classes.reduce((all, one) => all + one.slice(from).reduce((a, b) => a + b, 0), 0);
  return { requests: sum(0), errors: sum(5) };
}

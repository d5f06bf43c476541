import { checkCertificate } from './certificate.ts';
import type { Group } from './check.ts';
import {
  checkBuildCommand,
  checkConfig,
  checkFramework,
  checkOwnAddress,
  checkUnwatchedContent,
  checkWatchPaths,
} from './config-checks.ts';
import { checkDaemon, checkDaemonNode, checkVersions } from './daemon.ts';
import type { Facts } from './facts.ts';
import { checkFleet } from './fleet.ts';
import { checkFront } from './front.ts';
import { checkProxyHealth, checkSlotHealth } from './health.ts';
import { checkClock, checkInotify, checkNode } from './machine.ts';
import { checkPorts } from './ports.ts';
import { checkApps, checkController, checkPromotion, checkWorkers } from './running.ts';
import { checkEntries, checkLinks, checkMaintenance, checkState } from './state-checks.ts';
import {
  checkAssets,
  checkDisk,
  checkPartials,
  checkSecrets,
  checkSlotsFolder,
  checkSocket,
} from './storage.ts';
import { checkMovedWrites, checkSiteWrites } from './writes.ts';

/** Everything that is looked at, from the ground up. */
export function groups(facts: Facts): Group[] {
  return [
    {
      title: 'machine',
      checks: [
        () => checkNode(),
        () => checkClock(facts),
        () => checkInotify(facts),
        () => checkDisk(facts),
        () => checkDaemon(facts),
        () => checkDaemonNode(facts),
        () => checkVersions(facts),
      ],
    },
    {
      title: 'site',
      checks: [
        () => checkConfig(facts),
        () => checkFramework(facts),
        () => checkOwnAddress(facts),
        () => checkBuildCommand(facts),
        () => checkWatchPaths(facts),
        () => checkUnwatchedContent(facts),
        () => checkCertificate(facts),
        () => checkPorts(facts),
        () => checkFront(facts),
      ],
    },
    {
      title: 'slots/',
      checks: [
        () => checkSlotsFolder(facts),
        () => checkSocket(facts),
        () => checkSecrets(facts),
        () => checkAssets(facts),
        () => checkState(facts),
        () => checkMaintenance(facts),
        () => checkEntries(facts),
        () => checkLinks(facts),
        () => checkPartials(facts),
        () => checkSiteWrites(facts),
        () => checkMovedWrites(facts),
      ],
    },
    {
      title: 'running',
      checks: [
        () => checkApps(facts),
        () => checkController(facts),
        () => checkWorkers(facts),
        () => checkSlotHealth(facts),
        () => checkProxyHealth(facts),
        () => checkPromotion(facts),
      ],
    },
    ...(facts.config.fleet ? [fleetGroup(facts)] : []),
  ];
}

function fleetGroup(facts: Facts): Group {
  return {
    title: 'fleet',
    checks: [() => checkFleet(facts)],
  };
}

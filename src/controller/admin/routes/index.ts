import type { Route } from '../route.ts';
import { buildLogRoute } from './build-log.ts';
import { certificatesRoute, renewRoute } from './certificates.ts';
import { eventsRoute } from './events.ts';
import { fleetRoute } from './fleet.ts';
import { gitHookRoute } from './git-hook.ts';
import { healthRoute } from './health.ts';
import { historyRoute } from './history.ts';
import { maintenanceRoute } from './maintenance.ts';
import { metricsRoute } from './metrics.ts';
import { openApiRoute } from './openapi.ts';
import { pauseRoute } from './pause.ts';
import { promoteRoute } from './promote.ts';
import { purgeRoute } from './purge.ts';
import { releasesRoute } from './releases.ts';
import { restartRoute } from './restart.ts';
import { resumeRoute } from './resume.ts';
import { rollbackRoute } from './rollback.ts';
import { statusRoute } from './status.ts';
import { trafficRoute } from './traffic.ts';

/** Every call, in the order of the docs. */
export const ROUTES: readonly Route[] = [
  healthRoute,
  statusRoute,
  promoteRoute,
  restartRoute,
  rollbackRoute,
  pauseRoute,
  resumeRoute,
  purgeRoute,
  maintenanceRoute,
  fleetRoute,
  certificatesRoute,
  renewRoute,
  releasesRoute,
  historyRoute,
  buildLogRoute,
  trafficRoute,
  eventsRoute,
  openApiRoute,
  metricsRoute,
  gitHookRoute,
];

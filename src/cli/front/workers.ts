/** What the workers of the front say of themselves. */
import { connect } from 'node:net';
import type { HomePaths } from '../../slots/home.ts';
import { runSocketOwners } from '../../slots/run-socket.ts';
import {
  type FrontSiteStatus,
  type FrontWorkerStatus,
  STATUS_SOCKET,
} from '../../wire/front-status.ts';

/** How long a worker may take to answer, in milliseconds. */
const ANSWER_TIMEOUT_MS = 2000;

export interface FrontWorker {
  pid: number;
  /** Its PM2 daemon has died. */
  isOrphan: boolean;
  /** `null` when it does not answer. */
  status: FrontWorkerStatus | null;
}

export async function frontWorkers({ run }: Pick<HomePaths, 'run'>): Promise<FrontWorker[]> {
  const owners = await runSocketOwners(run, STATUS_SOCKET);
  return Promise.all(
    owners.map(async ({ pid, path, isOrphan }) => ({ pid, isOrphan, status: await ask(path) })),
  );
}

/** The site as each worker that serves it has it. */
export function servedBy(workers: readonly FrontWorker[], root: string): FrontSiteStatus[] {
  return workers.flatMap(({ status }) => status?.sites.find((site) => site.root === root) ?? []);
}

function ask(path: string): Promise<FrontWorkerStatus | null> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(path);
    const end = (status: FrontWorkerStatus | null) => {
      socket.destroy();
      resolve(status);
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => end(null));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.once('error', () => end(null));
    socket.once('end', () => end(parse(text)));
  });
}

function parse(text: string): FrontWorkerStatus | null {
  try {
    return JSON.parse(text) as FrontWorkerStatus;
  } catch {
    return null;
  }
}

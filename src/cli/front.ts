import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { frontSchema, loadFrontConfig } from '../config/front.ts';
import { SlotsError } from '../errors.ts';
import { connectPm2, type Pm2 } from '../pm2.ts';
import { isDaemonRunning } from '../pm2-daemon.ts';
import { type HomePaths, homePaths } from '../slots/home.ts';
import { frontDown, reloadFront, startFront, stopFront } from './front/start.ts';
import { frontStatus, renderFront } from './front/status.ts';

/** What `slots front` takes. */
export const FRONT_ACTIONS = ['init', 'up', 'down', 'reload', 'status'];

interface Options {
  json?: boolean;
  yes?: boolean;
}

/** `slots front …`: the two ports that several sites share. */
export async function front(action: string, options: Options): Promise<void> {
  const home = homePaths();
  if (action === 'init') return init(home, options);
  if (action === 'up') return up(home);
  if (action === 'down') return down(home);
  if (action === 'reload') return reload(home);
  return status(home, options);
}

/** @throws SlotsError `WOULD_REPLACE` */
async function init({ home, frontConfig }: HomePaths, { yes }: Options): Promise<void> {
  if (existsSync(frontConfig) && !yes) {
    throw new SlotsError('WOULD_REPLACE', `${frontConfig} is there already`, {
      hint: '`slots front init --yes` replaces it with the defaults',
    });
  }
  await mkdir(home, { recursive: true, mode: 0o700 });
  await writeFile(frontConfig, `${JSON.stringify(frontSchema.parse({}), null, 2)}\n`);
  console.log(`${frontConfig} is written; \`slots front up\` goes by it`);
}

/** Reads front.json first: a bad one is said before anything is started. Ports that cannot be had leave no daemon behind either. */
async function up(home: HomePaths): Promise<void> {
  const config = loadFrontConfig(home.frontConfig);
  const hadDaemon = isDaemonRunning();
  const isNew = await withPm2(async (pm2) => {
    try {
      return await startFront(pm2, home, config);
    } catch (error) {
      if (!hadDaemon && (await pm2.all()).size === 0) await pm2.killDaemon();
      throw error;
    }
  });
  const { ports } = config;
  const where = `on ${ports.http} and ${ports.https}`;
  console.log(isNew ? `the front is up, ${where}` : `the front was up already, ${where}`);
}

async function down(home: HomePaths): Promise<void> {
  const act = (pm2: Pm2 | null) => stopFront(pm2, home);
  const wasUp = isDaemonRunning() ? await withPm2(act) : await act(null);
  console.log(wasUp ? 'the front is down; its sites stay registered' : 'the front was not running');
}

async function reload(home: HomePaths): Promise<void> {
  const config = loadFrontConfig(home.frontConfig);
  if (!isDaemonRunning()) throw frontDown();
  await withPm2((pm2) => reloadFront(pm2, home, config));
  console.log(`the front has fresh workers: ${config.workers}`);
}

/** @throws SlotsError `FRONT_DOWN`, after what is known all the same */
async function status(home: HomePaths, { json }: Options): Promise<void> {
  const found = await frontStatus(home);
  console.log(json ? JSON.stringify(found, null, 2) : renderFront(found));
  if (found.workers.length === 0) throw frontDown();
}

async function withPm2<T>(act: (pm2: Pm2) => Promise<T>): Promise<T> {
  const pm2 = await connectPm2();
  try {
    return await act(pm2);
  } finally {
    pm2.disconnect();
  }
}

/** A worker of the front in this process, with sites whose slots are small servers of the test's. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { onTestFinished } from 'vitest';
import { type FrontConfig, frontSchema } from '../../src/config/front.ts';
import { removeRegistration, writeRegistration } from '../../src/config/registered-site.ts';
import type { UserConfig } from '../../src/config/schema.ts';
import { listenOnControlSocket } from '../../src/controller/control-socket.ts';
import { createDoor, type Door } from '../../src/front/door.ts';
import { createSites, type Sites } from '../../src/front/sites.ts';
import { type HomePaths, homePaths } from '../../src/slots/home.ts';
import { EMPTY_STATE, type State, writeState } from '../../src/slots/state.ts';
import { type Assignment, readAssignment } from '../../src/wire/assignment.ts';
import { type CollectedLog, collectedLog } from './collected-log.ts';
import { freePorts } from './free-ports.ts';
import { tempFolder } from './temp-folder.ts';
import { tempSite } from './temp-site.ts';
import { testConfig } from './test-config.ts';
import { until } from './until.ts';

export interface FrontWorkerUnderTest {
  home: HomePaths;
  http: number;
  https: number;
  sites: Sites;
  door: Door;
  log: CollectedLog;
  /** Registers a site whose slot answers so, and waits until it is served; it has no controller. */
  site(
    config: UserConfig & { name: string; hosts: string[] },
    answer?: RequestListener,
  ): Promise<TestSite>;
}

export interface TestSite {
  root: string;
  /** A controller that assigns this, in the place of one that is not there. */
  control(assignment: Partial<Assignment>): Promise<void>;
  /** Registers it again, under other hosts or with another config. */
  register(config: UserConfig & { name: string; hosts: string[] }): void;
  /** Takes it out, and waits until it is. */
  remove(): Promise<void>;
}

/** @param settings of front.json */
export async function frontWorker(settings: object = {}): Promise<FrontWorkerUnderTest> {
  const home = homePaths(await tempFolder('h-'));
  const log = collectedLog();
  const config: FrontConfig = frontSchema.parse(settings);
  const sites = createSites({ home, config, number: 0, log: log.log });
  const door = createDoor({ config, ...sites });
  await sites.follow();
  const [http, https] = await Promise.all([listen(door.plain), listen(door.secure)]);
  onTestFinished(async () => {
    door.plain.close();
    door.secure.close();
    await sites.end(0);
  });
  const isServed = (name: string) => sites.all().some((site) => site.registered.name === name);
  return {
    home,
    http,
    https,
    sites,
    door,
    log,
    async site(user, answer = (_request, response) => response.end(`${user.name}\n`)) {
      const paths = await tempSite();
      const blue = await listen(closing(createServer(answer)));
      const [proxy = 0, green = 0, admin = 0] = await freePorts(3);
      const ports = { proxy, blue, green, admin };
      const slots = {
        ...EMPTY_STATE.slots,
        blue: { ...EMPTY_STATE.slots.blue, release: 'r1-aaaaaa' },
      };
      const state: State = { ...EMPTY_STATE, epoch: 1, active: 'blue', slots };
      await writeState(paths, state);
      const register: TestSite['register'] = (config) => {
        writeRegistration(home, paths.root, testConfig({ ...config, ports }), config.hosts);
      };
      register(user);
      await until(() => isServed(user.name), `${user.name} to be served`);
      return {
        root: paths.root,
        register,
        async control(assignment) {
          const server = await listenOnControlSocket(
            paths,
            (_request, response) => response.end(),
            (socket) => {
              const whole = { ...readAssignment(state), epoch: 2, ...assignment };
              socket.on('error', () => {}).on('data', () => {});
              socket.write(`${JSON.stringify({ type: 'assignment', assignment: whole })}\n`);
              onTestFinished(() => void socket.destroy());
            },
          );
          onTestFinished(() => void server.close());
        },
        async remove() {
          removeRegistration(home, paths.root, user.name);
          await until(() => !isServed(user.name), `${user.name} to be taken out`);
        },
      };
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function closing(server: ReturnType<typeof createServer>) {
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return server;
}

import { createServer, type Server } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { Config } from '../../../src/config/schema.ts';
import { createHealthMonitor } from '../../../src/controller/health/monitor.ts';
import { createStartup } from '../../../src/controller/health/startup.ts';
import { createStore } from '../../../src/controller/store.ts';
import { RELEASE_HEADER } from '../../../src/slots/headers.ts';
import { collectedLog } from '../../support/collected-log.ts';
import { freePorts } from '../../support/free-ports.ts';
import { SITE } from '../../support/state-model.ts';
import { testConfig } from '../../support/test-config.ts';
import { until } from '../../support/until.ts';

/** As in the monitor. */
const DEAD_ROUNDS = 3;

const INSTANCES = testConfig().instances;

interface Answering {
  server: Server;
  /** Probes so far. */
  asked(): number;
}

/** @param release what it says that it serves; asked at each probe */
async function answering(port: number, release: string | (() => string)): Promise<Answering> {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked++;
    response.setHeader(RELEASE_HEADER, typeof release === 'string' ? release : release()).end('ok');
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { server, asked: () => asked };
}

/** Waits for so many whole rounds, of one probe for each instance. */
async function rounds(slot: Answering, count: number): Promise<void> {
  // A round that is under way is none of them.
  const enough = slot.asked() + (count + 1) * INSTANCES;
  await until(() => slot.asked() >= enough, `${count} rounds of probes`);
}

/** A site whose blue slot is active, and neither slot is up yet. */
async function monitored(health: Partial<Config['health']> = {}) {
  const [blue = 0, green = 0] = await freePorts(2);
  const base = testConfig();
  const config = {
    ...base,
    ports: { ...base.ports, blue, green },
    health: { ...base.health, ...health },
  };
  const store = createStore(SITE, async () => {});
  const { log, events } = collectedLog();
  const startup = createStartup(config.health.deadlineMs, log);
  const assigner = { assign: async () => {}, assignSoon: () => {} };
  const monitor = createHealthMonitor(config, { run: '/nowhere' }, store, assigner, startup, log);
  void monitor.run();
  return { monitor, startup, store, events, ports: { blue, green } };
}

test('leaves visitors alone while the active slot starts, even if the standby is up first', async () => {
  const { monitor, startup, store, ports } = await monitored();
  const green = await answering(ports.green, 'r1');
  await until(() => monitor.isHealthy('green'), 'the standby to be well');
  await rounds(green, DEAD_ROUNDS + 1);
  expect(store.state.active).toBe('blue');
  expect(startup.isOver()).toBe(false);

  const blue = await answering(ports.blue, 'r2');
  await until(() => startup.isOver(), 'the active slot to be up');
  blue.server.close();
  await until(() => store.state.active === 'green', 'the fail-over');
  expect(store.state.failedOverFrom).toBe('blue');
});

test('does not wait for ever for a slot that does not come up', async () => {
  const { store, events, ports } = await monitored({ deadlineMs: 500 });
  await answering(ports.green, 'r1');
  await until(() => store.state.active === 'green', 'the fail-over');
  expect(events('slot.not-up')).toMatchObject([{ slot: 'blue', ms: 500 }]);
});

test("takes another program on a slot's port for no standby", async () => {
  const { monitor, startup, store, ports } = await monitored();
  const blue = await answering(ports.blue, 'r2');
  const green = await answering(ports.green, 'somebody else');
  await until(() => startup.isOver(), 'the active slot to be up');
  expect(monitor.isHealthy('green')).toBe(false);
  blue.server.close();
  await until(() => !monitor.isHealthy('blue'), 'the active slot to be dead');
  expect(store.state.active).toBe('blue');
  green.server.close();
  await until(() => !green.server.listening, 'the port to be free');
  await answering(ports.green, 'r1');
  await until(() => store.state.active === 'green', 'the fail-over');
});

test('does not hold against the active slot that it was silent while it was the candidate', async () => {
  const { monitor, startup, store, ports } = await monitored();
  await answering(ports.blue, 'r2');
  let wrong = Number.POSITIVE_INFINITY;
  const green = await answering(ports.green, () => (wrong-- > 0 ? 'not yet' : 'r1'));
  await until(() => startup.isOver(), 'the active slot to be up');
  await rounds(green, DEAD_ROUNDS + 1);
  // After the flip it is silent for fewer rounds than make a slot dead.
  wrong = (DEAD_ROUNDS - 1) * INSTANCES;
  await store.update((state) => ({ ...state, epoch: state.epoch + 1, active: 'green' }));
  await until(() => monitor.isHealthy('green'), 'the active slot to be well');
  expect(store.state).toMatchObject({ active: 'green', failedOverFrom: null });
});

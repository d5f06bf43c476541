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

async function answering(port: number, release: string): Promise<Server> {
  const server = createServer((_request, response) => {
    response.setHeader(RELEASE_HEADER, release).end('ok');
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return server;
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
  const monitor = createHealthMonitor(config, store, assigner, startup, log);
  void monitor.run();
  return { monitor, startup, store, events, ports: { blue, green } };
}

test('leaves visitors alone while the active slot starts, even if the standby is up first', async () => {
  const { monitor, startup, store, ports } = await monitored();
  await answering(ports.green, 'r1');
  await until(() => monitor.isHealthy('green'), 'the standby to be well');
  // More rounds than make a slot dead, each of which the standby sees.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(store.state.active).toBe('blue');
  expect(startup.isOver()).toBe(false);

  const blue = await answering(ports.blue, 'r2');
  await until(() => startup.isOver(), 'the active slot to be up');
  blue.close();
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
  blue.close();
  await until(() => !monitor.isHealthy('blue'), 'the active slot to be dead');
  expect(store.state.active).toBe('blue');
  green.close();
  await until(() => !green.listening, 'the port to be free');
  await answering(ports.green, 'r1');
  await until(() => store.state.active === 'green', 'the fail-over');
});

test('does not hold against the active slot that it was silent while it was the candidate', async () => {
  const { monitor, startup, store, ports } = await monitored();
  await answering(ports.blue, 'r2');
  await answering(ports.green, 'r3');
  await until(() => startup.isOver(), 'the active slot to be up');
  // Green answers with a release that is not said to be there: for the monitor it is dead.
  await new Promise((resolve) => setTimeout(resolve, 1200));
  await store.update((state) => ({
    ...state,
    epoch: state.epoch + 1,
    active: 'green',
    slots: { ...state.slots, green: { release: 'r3' } },
  }));
  await until(() => monitor.isHealthy('green'), 'the flip to be seen at once', 150);
  expect(store.state).toMatchObject({ active: 'green', failedOverFrom: null });
});

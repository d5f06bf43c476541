import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { allReady, allServe, type Machine, machine, startAll } from '../support/fleet.ts';
import { startLoad } from '../support/load.ts';
import { type NatsServer, natsServer } from '../support/nats.ts';
import { natsOperator, natsTls } from '../support/nats-identity.ts';
import { lacking, skipFor } from '../support/needs.ts';
import { PLAIN_PATHS } from '../support/plain-site.ts';
import { until } from '../support/until.ts';

const lacks = lacking('nats-server');
const LOAD = { paths: PLAIN_PATHS, keepAlive: 2, fresh: 1, slow: 0 };

async function machineWith(id: string, server: string, env: Record<string, string>) {
  const made = await machine(id, server);
  Object.assign(made.env, env);
  return made;
}

/** What each place where somebody would look says of the fleet's server. */
async function saidOf(one: Machine) {
  const [status, doctor, log] = await Promise.all([
    one.slots('status'),
    one.slots('doctor'),
    one.slots('logs', 'watcher', '-n', '200'),
  ]);
  const lineWith = ({ stdout }: { stdout: string }, word: string) =>
    stdout.split('\n').filter((line) => line.includes(word));
  return {
    status: lineWith(status, 'NATS at'),
    doctor: lineWith(doctor, 'NATS at'),
    log: lineWith(log, 'NATS at'),
  };
}

/** NATS refuses the one machine from now on; the other goes on, and nobody's visitors notice. */
async function refused(one: Machine, nats: NatsServer, config: string, why: RegExp) {
  const before = (await one.get()).release;
  const load = startLoad(one.origin, LOAD);
  await nats.kill();
  await nats.configure(config);
  await nats.start();
  await until(async () => why.test((await one.status()).watcher.problem ?? ''), `${why}`);
  const said = await saidOf(one);
  for (const lines of [said.status, said.doctor]) {
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(why);
  }
  expect(said.log.filter((line) => why.test(line))).toHaveLength(1);
  // It is tried again all the time; the log has one line for one thing.
  await delay(2000);
  expect((await saidOf(one)).log.filter((line) => why.test(line))).toHaveLength(1);
  expect(await one.get()).toMatchObject({ status: 200, release: before });
  const { failures, failed, requests } = await load.stop();
  expect(failures).toEqual([]);
  expect({ failed, some: requests > 0 }).toEqual({ failed: 0, some: true });
}

test('machines with TLS and a password follow each other; one whose CA is another is told which certificate it does not trust, and serves on', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const [tls, otherTls] = [await natsTls(), await natsTls()];
  const users = 'authorization { user: blog, password: "s3cret-word" }';
  const nats = await natsServer(`${tls.config}\n${users}`);
  const url = nats.url.replace('nats:', 'tls:');
  const env = { NATS_USER: 'blog', NATS_PASSWORD: 's3cret-word', NATS_CA: tls.ca };
  const [web1, web2] = [await machineWith('web1', url, env), await machineWith('web2', url, env)];
  const both = [web1, web2];
  await startAll(both);
  await web2.edit('page.txt', 'over TLS');
  await allServe(both, 'over TLS');
  await allReady(both);
  const doctor = await web1.slots('doctor');
  expect(doctor.stdout).toContain('has JetStream');

  const untrusted =
    /NATS at tls:\/\/127\.0\.0\.1:\d+ has a certificate that is not trusted by the CA in \S+ca\.pem \(NATS_CA\): /;
  await refused(web2, nats, `${otherTls.config}\n${users}`, untrusted);
  await web1.edit('page.txt', 'made meanwhile');
  const wrongUser =
    /NATS at tls:\/\/127\.0\.0\.1:\d+ refuses user blog \(NATS_USER, NATS_PASSWORD\): Authorization Violation/;
  const otherUsers = 'authorization { user: blog, password: "another-word" }';
  await refused(web2, nats, `${tls.config}\n${otherUsers}`, wrongUser);
  for (const one of both) {
    const { stdout } = await one.slots('logs', 'watcher', '-n', '500');
    expect(stdout).not.toContain('s3cret-word');
  }

  await nats.kill();
  await nats.configure(`${tls.config}\n${users}`);
  await nats.start();
  await allServe(both, 'made meanwhile');
  await allReady(both);
});

test('machines with a creds file follow each other; one whose file the server does not know is told so, and serves on', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const [operator, stranger] = [await natsOperator(), await natsOperator()];
  const nats = await natsServer(operator.config);
  const credsOf = async (name: string) => ({ NATS_CREDS: await operator.user(name) });
  const web1 = await machineWith('web1', nats.url, await credsOf('web1'));
  const web2 = await machineWith('web2', nats.url, await credsOf('web2'));
  const both = [web1, web2];
  await startAll(both);
  await web2.edit('page.txt', 'by creds');
  await allServe(both, 'by creds');
  await allReady(both);
  const unknown =
    /NATS at nats:\/\/127\.0\.0\.1:\d+ refuses the credentials in \S+web2\.creds \(NATS_CREDS\): Authorization Violation/;
  await refused(web2, nats, stranger.config, unknown);
  await web2.edit('page.txt', 'while refused');
  await nats.kill();
  await nats.configure(operator.config);
  await nats.start();
  await allServe(both, 'while refused');
  await allReady(both);
});

test('slots doctor names the subject that a user of NATS may not publish to', async ({ skip }) => {
  skipFor(skip, lacks);
  const nats = await natsServer(
    'authorization { users: [ { user: blog, password: pw, permissions: { publish: "other.>" } } ] }',
  );
  const web1 = await machineWith('web1', nats.url, { NATS_USER: 'blog', NATS_PASSWORD: 'pw' });
  const doctor = await web1.slots('doctor');
  expect(doctor.stdout).toMatch(
    /NATS at nats:\/\/127\.0\.0\.1:\d+ does not let user blog \(NATS_USER, NATS_PASSWORD\) publish to \$JS\.API\.\S+\n/,
  );
});

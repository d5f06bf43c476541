import { createHmac, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { trustedAddresses } from '../../../src/config/trusted-proxies.ts';
import { createDeploy, type DeployParts } from '../../../src/controller/deploy/deploy.ts';
import { createGitHook, type HookLimits } from '../../../src/controller/deploy/hook.ts';
import { createEventCounters } from '../../../src/controller/metrics/event-counters.ts';
import type { Order } from '../../../src/controller/promotion/order.ts';
import { createStore } from '../../../src/controller/store.ts';
import { SlotsError } from '../../../src/errors.ts';
import { EMPTY_STATE } from '../../../src/slots/state.ts';
import { startAdmin } from '../../support/admin-server.ts';
import { collectedLog } from '../../support/collected-log.ts';
import { until } from '../../support/until.ts';

const SECRET = 'a secret of twenty-two';
const LIMITS: HookLimits = {
  bodyBytes: 64 * 1024,
  readingPerCaller: 3,
  readingInAll: 5,
  bodyTimeoutMs: 60_000,
  genuinePerMinute: 20,
  loggedPerMinute: 5,
};
const [FROM, TO] = ['a'.repeat(40), 'b'.repeat(40)];

/** The hook behind the real listener; what git would have done is a value. */
async function setUp(
  pull: DeployParts['pull'] = async () => ({ from: FROM, to: TO, moved: true }),
  limits = LIMITS,
) {
  const store = createStore(EMPTY_STATE, async () => {});
  const orders: Order[] = [];
  const steps: string[] = [];
  const counters = createEventCounters().pushes;
  const { log, events, lines } = collectedLog();
  let pulls = 0;
  const deploy = createDeploy({
    pull: (onMove) => {
      pulls++;
      return pull(onMove);
    },
    store,
    inbox: {
      order(order) {
        orders.push(order);
        steps.push('order');
      },
      hold() {
        steps.push('hold');
        return () => void steps.push('end of hold');
      },
    },
    counters,
    log,
  });
  const trusted = trustedAddresses(['loopback']);
  const hook = createGitHook({ secret: SECRET, trusted, deploy, log }, limits);
  const admin = await startAdmin({ gitHook: hook });
  const call = async (headers: Record<string, string>, body: string | Buffer = '{}') => {
    const answer = await admin.ask('POST', '/hooks/git', headers, body);
    return { ...answer, body: JSON.parse(answer.body) };
  };
  const push = (body = '{}', caller = '192.0.2.1') =>
    call({ 'x-hub-signature-256': `sha256=${sign(body)}`, 'x-forwarded-for': caller }, body);
  /** A call that says who it is from, and never sends its body. */
  const begin = (caller: string) => {
    const socket = connect(admin.port, '127.0.0.1').on('error', () => {});
    onTestFinished(() => void socket.destroy());
    const signature = 'X-Hub-Signature-256: sha256=guess';
    const fields = `Host: x\r\n${signature}\r\nX-Forwarded-For: ${caller}\r\nContent-Length: 9`;
    socket.write(`POST /hooks/git HTTP/1.1\r\n${fields}\r\n\r\n{`);
    return socket;
  };
  return {
    ...admin,
    call,
    push,
    begin,
    store,
    orders,
    steps,
    counters,
    events,
    lines,
    pulls: () => pulls,
  };
}

function sign(body: string | Buffer, secret = SECRET): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

/** By the Standard Webhooks specification. */
function signedByStandard(body: string, at = Date.now(), secret: string | Buffer = SECRET) {
  const timestamp = String(Math.floor(at / 1000));
  const hmac = createHmac('sha256', secret).update(`msg_1.${timestamp}.${body}`);
  return {
    'webhook-id': 'msg_1',
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${randomBytes(32).toString('base64')} v1,${hmac.digest('base64')}`,
  };
}

const BODY = '{ "ref": "refs/heads/main", "author": "Zoë" }\n';

test.each([
  ['GitHub', { 'x-hub-signature-256': `sha256=${sign(BODY)}` }],
  ['Bitbucket', { 'x-hub-signature': `sha256=${sign(BODY)}`, 'x-event-key': 'repo:push' }],
  ['Forgejo', { 'x-forgejo-signature': sign(BODY) }],
  ['Gitea', { 'x-gitea-signature': sign(BODY) }],
  ['Gogs', { 'x-gogs-signature': sign(BODY) }],
  ['GitLab', { 'x-gitlab-token': SECRET }],
  ['GitLab with a signing token', signedByStandard(BODY)],
])('a call of %s is taken: the push is promoted', async (_host, headers) => {
  const { call, orders, events, counters } = await setUp();
  const answer = await call(headers as unknown as Record<string, string>, BODY);
  const [order] = orders;
  expect(order).toMatchObject({ kind: 'build', trigger: 'push' });
  expect(answer).toMatchObject({
    status: 200,
    body: { outcome: 'deployed', from: FROM, to: TO, id: order?.id },
  });
  expect(events('deploy.git')).toMatchObject([{ outcome: 'deployed', from: FROM, to: TO }]);
  expect(counters.deployed).toBe(1);
});

test('a call may have a body that is no text', async () => {
  const { call } = await setUp();
  const body = randomBytes(1000);
  expect((await call({ 'x-gitea-signature': sign(body) }, body)).status).toBe(200);
});

test.each([
  ['without a signature', {}],
  ['with the signature of another body', { 'x-hub-signature-256': `sha256=${sign('{}')}` }],
  ['with another secret', { 'x-hub-signature-256': `sha256=${sign(BODY, 'wrong')}` }],
  ['with a signature cut short', { 'x-gitea-signature': sign(BODY).slice(0, 32) }],
  ['with an empty signature', { 'x-gitea-signature': '' }],
  ['with the secret where a signature goes', { 'x-hub-signature-256': `sha256=${SECRET}` }],
  ['with a signature where the secret goes', { 'x-gitlab-token': sign(BODY) }],
  ['with a digest that is broken', { 'x-hub-signature': `sha1=${sign(BODY)}` }],
  ['that was signed an hour ago', signedByStandard(BODY, Date.now() - 3_600_000)],
  ['signed for another time than it says', { ...signedByStandard(BODY), 'webhook-timestamp': '1' }],
  ['signed by another token', signedByStandard(BODY, Date.now(), 'another')],
  ['with the bearer token', { authorization: `Bearer ${'a'.repeat(64)}` }],
])('a call: %s is denied, and git is not asked', async (_name, headers) => {
  const { call, pulls, events, lines } = await setUp();
  const answer = await call(headers as Record<string, string>, BODY);
  expect(answer).toMatchObject({ status: 401, body: { error: { code: 'UNAUTHORIZED' } } });
  expect(pulls()).toBe(0);
  expect(events('deploy.denied')).toHaveLength(1);
  expect(JSON.stringify([answer, lines])).not.toContain(SECRET);
});

test('a call that changed one byte on its way is denied', async () => {
  const { call, pulls } = await setUp();
  const headers = { 'x-hub-signature-256': `sha256=${sign(BODY)}` };
  expect((await call(headers, BODY.replace('main', 'mait'))).status).toBe(401);
  expect(pulls()).toBe(0);
});

const moving = (outcome: () => ReturnType<DeployParts['pull']>): DeployParts['pull'] => {
  return (onMove) => {
    onMove();
    return outcome();
  };
};

test('while files are moved: nothing is built of them before the push’s own promotion is ordered', async () => {
  const { push, steps } = await setUp(moving(async () => ({ from: FROM, to: TO, moved: true })));
  await push();
  expect(steps).toEqual(['hold', 'order', 'end of hold']);
});

test('while files are moved and that fails, edits are built again', async () => {
  const fail = async () => {
    throw new SlotsError('GIT_FAILED', 'git merge: no');
  };
  const { push, steps } = await setUp(moving(fail));
  await push();
  expect(steps).toEqual(['hold', 'end of hold']);
});

test('a stranger cannot send more than a push would', async () => {
  const { call, pulls } = await setUp();
  const body = 'x'.repeat(LIMITS.bodyBytes + 1);
  const answer = await call({ 'x-gitlab-token': SECRET }, body);
  expect(answer).toMatchObject({ status: 413, body: { error: { code: 'BODY_TOO_LARGE' } } });
  expect(pulls()).toBe(0);
});

test('a stranger that guesses uses up nothing of what the git host may do', async () => {
  const { call, push, events } = await setUp();
  for (let count = 0; count < LIMITS.genuinePerMinute + 3; count++) {
    const guess = { 'x-gitlab-token': 'guess', 'x-forwarded-for': '192.0.2.1' };
    expect((await call(guess)).status).toBe(401);
    const forged = { 'x-hub-signature-256': `sha256=${sign('another')}` };
    expect((await call({ ...forged, 'x-forwarded-for': '192.0.2.1' })).status).toBe(401);
  }
  expect((await push()).status).toBe(200);
  expect(events('deploy.denied')).toHaveLength(LIMITS.loggedPerMinute);
});

test.each([
  ['one address', () => '198.51.100.9'],
  ["the git host's own address", () => '192.0.2.1'],
  ['an address each', (count: number) => `198.51.100.${count}`],
  ['a proxy that names no address', () => ''],
])(
  'a stranger with many bodies that never end, from %s, keeps no push out',
  async (_name, addressOf) => {
    const { begin, push } = await setUp();
    const sockets = Array.from({ length: 40 }, (_, count) => begin(addressOf(count)));
    // Those that are over their limit are cut; the others are being read.
    await until(() => sockets.some((socket) => socket.closed), 'the limit to be reached');
    for (let count = 0; count < 5; count++) expect((await push()).status).toBe(200);
    expect(sockets.some((socket) => !socket.closed)).toBe(true);
  },
);

test('a stranger whose body never ends is cut off in the end', async () => {
  const { begin, push } = await setUp(undefined, { ...LIMITS, bodyTimeoutMs: 50 });
  const socket = begin('198.51.100.9');
  await until(() => socket.closed, 'the connection to be cut');
  expect((await push()).status).toBe(200);
});

test('a stranger: who sends a recorded call again and again is limited, and the git host is not', async () => {
  const { push } = await setUp();
  const statuses = [];
  for (let count = 0; count < LIMITS.genuinePerMinute + 1; count++) {
    statuses.push((await push('{}', '198.51.100.9')).status);
  }
  expect(statuses.slice(0, -1).every((status) => status === 200)).toBe(true);
  const last = await push('{}', '198.51.100.9');
  expect(last).toMatchObject({ status: 429, headers: { 'retry-after': '60' } });
  expect((await push()).status).toBe(200);
});

test('a push with nothing new promotes nothing', async () => {
  const { push, orders, counters } = await setUp(async () => ({
    from: TO,
    to: TO,
    moved: false,
  }));
  expect((await push()).body).toEqual({ outcome: 'unchanged', from: TO, to: TO });
  expect(orders).toEqual([]);
  expect(counters.unchanged).toBe(1);
});

test('a push that git cannot take is answered with why', async () => {
  const { push, orders, events, counters } = await setUp(async () => {
    throw new SlotsError('GIT_DIRTY', 'a.md is changed', { hint: 'commit it' });
  });
  expect(await push()).toMatchObject({
    status: 409,
    body: { error: { code: 'GIT_DIRTY', message: 'a.md is changed', hint: 'commit it' } },
  });
  expect(orders).toEqual([]);
  expect(events('deploy.refused')).toMatchObject([{ error: 'a.md is changed' }]);
  expect(counters.refused).toBe(1);
});

test('a push waits while edits are paused, and is promoted once on resume', async () => {
  const { push, store, orders } = await setUp();
  await store.update((state) => ({ ...state, paused: true }));
  expect((await push()).body).toMatchObject({ outcome: 'paused' });
  await push();
  await store.update((state) => ({ ...state, epoch: 5 }));
  expect(orders).toEqual([]);
  await store.update((state) => ({ ...state, paused: false }));
  await store.update((state) => ({ ...state, epoch: 6 }));
  expect(orders).toMatchObject([{ kind: 'build', trigger: 'push' }]);
});

test('a push waits for the one before, also when that one fails', async () => {
  let running = 0;
  let most = 0;
  let count = 0;
  const { push } = await setUp(async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 30));
    running--;
    if (++count === 1) throw new SlotsError('GIT_FAILED', 'once');
    return { from: FROM, to: TO, moved: true };
  });
  const statuses = (await Promise.all([push(), push(), push()])).map(({ status }) => status);
  expect(statuses.sort()).toEqual([200, 200, 409]);
  expect(most).toBe(1);
});

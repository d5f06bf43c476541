/** Row 6: candidates that build well and serve badly. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { otherSlot } from '../../../src/slots/slot.ts';
import { startLoad } from '../../support/load.ts';
import { until } from '../../support/until.ts';
import {
  expectGoodEdit,
  expectHarmlessFailure,
  GOOD_BUILD,
  type HostileSite,
  hostileSite,
} from '../hostile-site.ts';
import { recordFault, times } from '../table.ts';

let hostile: HostileSite;

beforeAll(async () => {
  // A check long enough for a candidate to die in it.
  const health = { deadlineMs: 4000, timeoutMs: 1000, consecutive: 10, intervalMs: 50 };
  hostile = await hostileSite({ config: { health } });
});
afterAll(() => hostile?.dispose());

/** A build whose server is this. */
const serving = (code: string) => `${GOOD_BUILD}; cat > "$1/server.mjs" <<'END'\n${code}\nEND\n`;

/** A server that answers well, with something wrong besides. */
const wellBut = (code: string) =>
  serving(`import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
const { HOST, PORT, SLOTS_SLOT, NODE_APP_INSTANCE } = process.env;
const state = () => JSON.parse(readFileSync(new URL('../../../state.json', import.meta.url)));
let answer = (request, response) => response.end('well');
${code}
createServer((request, response) => answer(request, response)).listen(PORT, HOST);`);

const CASES: [fault: string, stage: string | RegExp, script: string, error: RegExp][] = [
  [
    'candidate redirects for ever',
    'check',
    wellBut("answer = (_, response) => response.writeHead(302, { location: '/' }).end();"),
    /^the candidate is of no use: GET \/ redirects for ever, from \/ to \/$/,
  ],
  [
    'candidate leaks memory until it dies',
    /^(start|check)$/,
    wellBut(`import { execFileSync } from 'node:child_process';
execFileSync('prlimit', ['--pid', process.pid, '--data=600000000']);
const leak = [];
setInterval(() => leak.push(Buffer.alloc(2e7, 1)), 10);`),
    /^the candidate (was not healthy within 4000 ms|crashed at start: (\w*Error|an instance ended))/,
  ],
  [
    'candidate never listens',
    'start',
    serving('setInterval(() => {}, 1000)'),
    /^the candidate did not answer on its port within 4000 ms$/,
  ],
  [
    'one instance never listens',
    'start',
    wellBut("if (NODE_APP_INSTANCE !== '0') await new Promise((r) => setInterval(() => {}, 1e3));"),
    /^1 of 2 instances did not answer within 4000 ms$/,
  ],
  [
    'candidate answers 500',
    'check',
    wellBut('answer = (_, response) => response.writeHead(500).end();'),
    /^the candidate was not healthy within 4000 ms: GET \/: status 500$/,
  ],
  [
    'candidate hangs',
    'start',
    wellBut('answer = () => {};'),
    /^the candidate did not answer on its port within 4000 ms$/,
  ],
  [
    'candidate answers 500 and ignores SIGINT',
    'check',
    wellBut(`process.on('SIGINT', () => {});
answer = (_, response) => response.writeHead(500).end();`),
    /status 500$/,
  ],
];

// The others run with `npm run test:faults`; test/e2e has most of them too.
test.each(CASES.slice(0, times(2, CASES.length)))(
  '%s: no flip, and the standby is warm after',
  async (fault, stage, script, error) => {
    const { site } = hostile;
    await expectHarmlessFailure(site, { row: 6, fault, stage, error }, () =>
      site.edit('build.sh', script),
    );
  },
);

test('candidate dies during the flip: visitors are moved back, and the standby is warm after', async () => {
  const { site } = hostile;
  await expectHarmlessFailure(
    site,
    {
      row: 6,
      fault: 'candidate dies during the flip',
      // What each client had open on the instance that died.
      allowed: 5,
      stage: 'flip',
      error: /^the candidate stopped answering during the flip/,
    },
    () =>
      site.edit(
        'build.sh',
        wellBut('setInterval(() => state().active === SLOTS_SLOT && process.exit(1), 1);'),
      ),
  );
});

test('candidate dies once it is live: visitors are moved to the standby, and a good edit ends it', async () => {
  const { site } = hostile;
  const before = await site.status();
  const { length } = await readFile(join(site.env.PM2_HOME as string, 'pm2.log'), 'utf8');
  const load = startLoad(site.origin, { keepAlive: 3, fresh: 2, pauseMs: 30 });
  const started = performance.now();
  await site.edit(
    'build.sh',
    wellBut(`setInterval(() => {
  const { active, promotion } = state();
  if (active === SLOTS_SLOT && promotion === null) process.exit(1);
}, 5);`),
  );
  await until(
    async () => (await site.status()).failedOverFrom === otherSlot(before.active),
    'visitors to be moved',
    60_000,
  );
  const recoveryMs = [performance.now() - started];
  const { requests, failed, failures } = await load.stop();
  // PM2 starts it again and again: with each death fails at most what each of five clients had open there.
  const log = await readFile(join(site.env.PM2_HOME as string, 'pm2.log'), 'utf8');
  const died = new RegExp(`${otherSlot(before.active)}:\\d+\\] exited with code \\[1\\]`, 'g');
  const allowed = 5 * [...log.slice(length).matchAll(died)].length;
  const fault = 'candidate dies once it is live';
  const editsLost = 0;
  recordFault({ row: 6, fault, injected: 1, requests, failed, allowed, editsLost, recoveryMs });
  expect(failed, failures.join('\n')).toBeLessThanOrEqual(allowed);
  expect((await site.get()).release).toBe(before.slots[before.active].release);
  await expectGoodEdit(site, 99);
});

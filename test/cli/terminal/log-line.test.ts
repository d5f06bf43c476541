import { stripVTControlCharacters } from 'node:util';
import { afterEach, expect, test, vi } from 'vitest';
import { formatLine } from '../../../src/cli/terminal/log-line.ts';
import { createAccessLog, type Logged } from '../../../src/proxy/metrics/access-log.ts';

const own = (fields: object) =>
  JSON.stringify({
    level: 30,
    time: Date.parse('2026-01-01T12:00:00Z'),
    name: 'watcher',
    ...fields,
  });

afterEach(() => vi.unstubAllEnvs());

test('our own lines get readable, with the name of their event', () => {
  const line = own({ event: 'promotion.build', ms: 40, msg: 'build done in 40 ms' });
  expect(formatLine('watcher', line)).toMatch(
    /^watcher \[\d\d:00:00\] INFO: build done in 40 ms {2}\(promotion\.build\)$/,
  );
});

test('a line without a message says its error, and a hint follows', () => {
  const line = own({ level: 60, event: 'controller.refused', error: 'no port', hint: 'free it' });
  expect(formatLine('watcher', line)).toContain('FATAL: no port; free it  (controller.refused)');
});

test('a line of the access log shows the request and its answer', async () => {
  const text = await new Promise<string>((resolve) => {
    const request = { method: 'GET', url: '/hello?x=1' };
    const response = { statusCode: 200, writableFinished: true };
    const headers = ['X-Request-Id', 'id', 'X-Forwarded-For', '192.0.2.7'];
    const exchange = { request, response, slot: 'blue', headers, startedAt: performance.now() };
    createAccessLog(resolve).write(exchange as unknown as Logged);
  });
  expect(formatLine('proxy', text.trimEnd())).toMatch(
    /^proxy {3}\[[\d:]+\] INFO: GET \/hello\?x=1 200 [\d.]+ ms blue 192\.0\.2\.7( aborted)? {2}\(request\)$/,
  );
});

test('a line that has neither a message nor an error shows its fields', () => {
  const line = own({ event: 'some.event', slot: 'blue', tries: 3, left: ['a'] });
  expect(formatLine('watcher', line)).toContain('INFO: slot=blue tries=3 left=["a"]  (some.event)');
});

test("the site's own lines are passed on as they are", () => {
  expect(formatLine('blue', 'GET /  200')).toBe('blue    GET /  200');
  expect(formatLine('green', '{"level":"odd"}')).toContain('green   ');
  expect(formatLine('green', '{"level": cut sh')).toBe('green   {"level": cut sh');
});

test.each([
  [30, 'INFO: it'],
  [40, '\x1b[33mWARN: it\x1b[39m'],
  [50, '\x1b[31mERROR: it\x1b[39m'],
])('level %i is coloured as it should be, and not at all with NO_COLOR', (level, text) => {
  const line = own({ level, event: 'some.event', msg: 'it' });
  vi.stubEnv('FORCE_COLOR', '1');
  expect(formatLine('proxy', line)).toContain(text);
  const coloured = formatLine('proxy', line);
  vi.stubEnv('FORCE_COLOR', undefined);
  vi.stubEnv('NO_COLOR', '1');
  expect(formatLine('proxy', line)).toBe(stripVTControlCharacters(coloured));
});

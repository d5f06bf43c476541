import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as answers from '../../../src/proxy/visitor/error-answer.ts';
import { freePorts } from '../../support/free-ports.ts';
import { startEcho, startFixed, startPlane, startRawOrigin } from '../../support/plane.ts';
import { type Answer, parseAnswers, values } from '../../support/raw-answers.ts';
import { ask, get, head } from '../../support/raw-http.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const JSON_ONLY = 'Accept: application/json';
const BROWSER = 'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

const ALL = Object.entries(answers).filter(
  (entry): entry is [string, answers.ErrorAnswer] => typeof entry[1] === 'object',
);

/** Whether an answer to a visitor says anything that is not for visitors. */
function leaks(text: string, ...secrets: (string | number)[]): string[] {
  const always = ['127.0.0.1', 'localhost', 'ECONN', 'Error', '    at ', 'node:', '.ts', 'undici'];
  return [...always, ...secrets.map(String)].filter((secret) => text.includes(secret));
}

describe('each error answer', () => {
  const { raw } = answers.createErrorAnswers(null);

  test.for(ALL)('%s is small, says nothing internal, and is HTML or JSON', ([, answer]) => {
    for (const accept of [undefined, '*/*', 'text/html', 'application/json']) {
      const text = raw(accept, answer);
      expect(text.length).toBeLessThan(1200);
      expect(leaks(text)).toEqual([]);
      const [parsed] = parseAnswers(text, [], true) as [Answer];
      expect(parsed).toMatchObject({ status: answer.status, framing: 'length', complete: true });
      expect(values(parsed.fields, 'cache-control')).toEqual(['no-store']);
      const retry = answer.retryAfter ? [String(answer.retryAfter)] : [];
      expect(values(parsed.fields, 'retry-after')).toEqual(retry);
      const type = values(parsed.fields, 'content-type')[0];
      if (accept === 'application/json') {
        expect(type).toBe('application/json');
        expect(JSON.parse(parsed.body).error.status).toBe(answer.status);
      } else {
        expect(type).toBe('text/html; charset=utf-8');
        expect(parsed.body).toContain(`<h1>${answer.title}</h1>`);
      }
    }
  });

  test('every 503 says when to come again', () => {
    const unavailable = ALL.filter(([, { status }]) => status === 503);
    expect(unavailable.length).toBeGreaterThan(2);
    for (const [, answer] of unavailable) expect(answer.retryAfter).toBeGreaterThan(0);
  });

  test.for([
    ['application/json', true],
    ['application/problem+json', true],
    ['text/plain, APPLICATION/JSON;q=0.5', true],
    ['text/html', false],
    ['application/json, text/html', false],
    ['*/*', false],
    ['', false],
    ['application/jsonish', false],
  ] as const)('Accept: %s gets JSON: %s', ([accept, json]) => {
    expect(raw(accept, answers.BUSY).includes('application/json')).toBe(json);
  });
});

test('before the first release: a visitor is told that the first build runs, and when to come again', async () => {
  const site = await startEcho();
  const { port, assign } = await startPlane({ blue: site.port, active: null });
  const page = await ask(port, get('/', BROWSER));
  expect(page.status).toBe(503);
  expect(page.body).toContain('The first build is running');
  expect(Number(values(page.fields, 'retry-after')[0])).toBeGreaterThan(0);
  const json = await ask(port, get('/', JSON_ONLY));
  expect(JSON.parse(json.body).error.status).toBe(503);
  expect(site.received()).toBe('');
  assign({ active: 'blue' });
  expect((await ask(port, get())).status).toBe(200);
});

test('before the first release: a HEAD gets the same head, and no body', async () => {
  const { port } = await startPlane({ active: null });
  const answer = await ask(port, head('HEAD /', 'Host: a'));
  expect(answer).toMatchObject({ status: 503, body: '' });
  expect(Number(values(answer.fields, 'content-length')[0])).toBeGreaterThan(0);
});

test('before the first release: an upload gets its answer, and the connection goes on', async () => {
  const { port } = await startPlane({ active: null });
  const upload = `${head('POST /', 'Host: a', 'Content-Length: 5')}hello`;
  expect((await ask(port, upload)).status).toBe(503);
});

test('when the site does not answer: both slots dead: 503 with Retry-After, HTML or JSON, without an address', async () => {
  const [blue = 0, green = 0] = await freePorts(2);
  const { port, plane } = await startPlane({ blue, green });
  const ports = [blue, green];
  for (const accept of [BROWSER, JSON_ONLY]) {
    const answer = await ask(port, get('/', accept));
    expect(answer.status).toBe(503);
    expect(values(answer.fields, 'retry-after')).toHaveLength(1);
    expect(leaks(`${answer.fields}${answer.body}`, ...ports)).toEqual([]);
  }
  expect(plane.inflight.counts).toEqual({ blue: 0, green: 0 });
});

test('when the site does not answer: the active one dead and the standby warm: the standby answers that very request', async () => {
  const site = await startEcho();
  const { port, plane } = await startPlane({ green: site.port });
  const answer = await ask(port, `${head('POST /', 'Host: a', 'Content-Length: 5')}hello`);
  expect(JSON.parse(answer.body).body).toBe('hello');
  expect(values(answer.fields, 'x-slots-release')).toEqual(['release-green']);
  expect(plane.counters.failovers).toBe(1);
});

test('when the site does not answer: the active one dead and the standby not warm: 503, and the standby hears nothing', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ green: site.port, warm: { green: false } });
  expect((await ask(port, get())).status).toBe(503);
  expect(site.received()).toBe('');
});

test.for([BROWSER, JSON_ONLY])(
  'when the site does not answer: a broken answer leaks nothing: %s',
  async (accept) => {
    const site = await startRawOrigin((wire) => void wire.socket.resetAndDestroy());
    const { port } = await startPlane({ blue: site.port });
    const answer = await ask(port, get('/', accept));
    expect(answer.status).toBe(502);
    expect(leaks(`${answer.fields}${answer.body}`, site.port, port)).toEqual([]);
  },
);

test('when the site does not answer: the site’s own error pages pass as they are', async () => {
  const site = await startFixed(`${head('HTTP/1.1 500 Oops', 'Content-Length: 4')}mine`);
  const { port } = await startPlane({ blue: site.port });
  expect(await ask(port, get())).toMatchObject({ status: 500, reason: 'Oops', body: 'mine' });
});

test('errorPages: replace the built-in ones, each by status and kind', async () => {
  const folder = await tempFolder();
  await writeFile(join(folder, '503.html'), '<h1>Gleich zurück</h1>');
  await writeFile(join(folder, '400.json'), '{"oops":true}');
  const { port } = await startPlane({ proxy: { errorPages: folder } });
  const page = await ask(port, get('/', BROWSER));
  expect(Buffer.from(page.body, 'latin1').toString()).toBe('<h1>Gleich zurück</h1>');
  expect(values(page.fields, 'content-type')).toEqual(['text/html; charset=utf-8']);
  expect(values(page.fields, 'retry-after')).toHaveLength(1);
  const json = await ask(port, get('/', JSON_ONLY));
  expect(JSON.parse(json.body).error.status).toBe(503);
  const bad = await ask(port, get('http://[', JSON_ONLY));
  expect(bad).toMatchObject({ status: 400, body: '{"oops":true}' });
});

test('errorPages that are not there, folder and all, leave the built-in ones', async () => {
  const { port } = await startPlane({ proxy: { errorPages: '/nowhere/at/all' } });
  expect((await ask(port, get())).body).toContain('Back in a moment');
});

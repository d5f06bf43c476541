import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import { type PlaneOptions, startOrigin, startPlane } from '../../support/plane.ts';
import { get, rawClient } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

const MODIFIED = 'Sat, 31 Jan 2026 12:00:00 GMT';
const BODY = 'a page that is worth compressing. '.repeat(100);

/** A plane before a site with one page, and a visitor's connection that is kept. */
async function startPage(options: PlaneOptions = {}) {
  let version = 'one';
  const site = await startOrigin((_request, response) => {
    response.setHeader('Cache-Control', 's-maxage=60');
    response.setHeader('Content-Type', 'text/html');
    response.setHeader('Content-Language', 'en');
    response.setHeader('Last-Modified', MODIFIED);
    response.setHeader('ETag', `"${version}"`);
    response.end(`${version} ${BODY}`);
  });
  const running = await startPlane({ blue: site.port, cache: {}, ...options });
  const cache = running.plane.cache as NonNullable<typeof running.plane.cache>;
  const looks = vi.spyOn(cache, 'look');
  const client = await rawClient(running.port);
  let answers = 0;
  let seen = 0;
  /** @returns the bytes of the answer, and whether it came without a look at the request */
  const ask = async (...fields: string[]) => {
    const before = looks.mock.calls.length;
    client.send(get('/', ...fields));
    await client.answers(++answers);
    const text = client.text().slice(seen);
    seen += text.length;
    return {
      text: text.replace(/\r\nAge: \d+|ttl=\d+/g, ''),
      isKnown: looks.mock.calls.length === before,
    };
  };
  return {
    ...running,
    cache,
    ask,
    change: (to: string) => {
      version = to;
    },
  };
}

/** Asks until the head is known: what is compressed is made for those who come later. */
async function untilKnown(ask: Awaited<ReturnType<typeof startPage>>['ask'], fields: string[]) {
  const before: string[] = [];
  return until(async () => {
    const { text, isKnown } = await ask(...fields);
    if (isKnown) return { known: text, read: before.at(-1) };
    before.push(text);
    return null;
  }, 'the head to be known');
}

test.each([
  ['the tag that it has', ['If-None-Match: "one"'], 304],
  ['a list with that tag', ['If-None-Match: "zero", W/"one"'], 304],
  ['any tag', ['If-None-Match: *'], 304],
  ['another tag', ['If-None-Match: "two"'], 200],
  [
    'a tag that goes before a date',
    ['If-None-Match: "two"', `If-Modified-Since: ${MODIFIED}`],
    200,
  ],
  ['the date that it has', [`If-Modified-Since: ${MODIFIED}`], 304],
  ['an earlier date', ['If-Modified-Since: Fri, 30 Jan 2026 12:00:00 GMT'], 200],
  ['no date', ['If-Modified-Since: yesterday'], 200],
  ['the weak tag of a compressed page', ['Accept-Encoding: br', 'If-None-Match: W/"one"'], 304],
  ['the strong tag and a coding', ['Accept-Encoding: gzip', 'If-None-Match: "one"'], 304],
  ['a weak tag and no coding', ['Accept-Encoding: identity', 'If-None-Match: W/"one"'], 304],
  ['another tag and a coding', ['Accept-Encoding: br', 'If-None-Match: "two"'], 200],
])(
  'a known head that asks by %s gets what it got when it was read',
  async (_what, fields, status) => {
    const { ask, cache, plane } = await startPage();
    await ask();
    const hits = () => cache.counts.hit;
    const { known, read } = await untilKnown(ask, fields);
    expect(known).toBe(read);
    expect(known).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const before = { hits: hits(), answers: classCount(plane, status) };
    await ask(...fields);
    expect({ hits: hits(), answers: classCount(plane, status) }).toEqual({
      hits: before.hits + 1,
      answers: before.answers + 1,
    });
  },
);

function classCount({ counters }: Awaited<ReturnType<typeof startPage>>['plane'], status: number) {
  return counters.traffic.reduce((sum, { classes }) => sum + (classes[(status / 100) | 0] ?? 0), 0);
}

test('both 304s of one page, with the strong tag and with a weak one, stay apart', async () => {
  const { ask } = await startPage();
  await ask();
  const strong = ['Accept-Encoding: identity', 'If-None-Match: "one"'];
  const weak = ['Accept-Encoding: identity', 'If-None-Match: W/"one"'];
  for (const fields of [strong, weak]) await untilKnown(ask, fields);
  for (let i = 0; i < 3; i++) {
    expect((await ask(...strong)).text).toContain('ETag: "one"');
    expect((await ask(...weak)).text).toContain('ETag: W/"one"');
  }
});

test('a known head gets no 304 once the page is another one', async () => {
  const { ask, cache, change } = await startPage();
  await ask();
  const fields = ['If-None-Match: "one"'];
  expect((await untilKnown(ask, fields)).known).toContain(' 304 ');
  change('two');
  cache.purge(['/']);
  await ask();
  const { text, isKnown } = await ask(...fields);
  expect(isKnown).toBe(false);
  expect(text).toMatch(/^HTTP\/1.1 200 [\s\S]*two a page/);
});

test('a known head gets no 304 of a release that is not live any more', async () => {
  const { ask, assign, change } = await startPage();
  await ask();
  const fields = ['If-None-Match: "one"'];
  expect((await untilKnown(ask, fields)).known).toContain(' 304 ');
  change('two');
  assign({ release: { blue: 'the next' } });
  expect((await ask(...fields)).text).toMatch(/^HTTP\/1.1 200 [\s\S]*two a page/);
});

test('a request for a part is read each time', async () => {
  const { ask } = await startPage();
  await ask();
  for (let i = 0; i < 4; i++) {
    const { text, isKnown } = await ask('Range: bytes=0-2', 'If-Range: "one"');
    expect(isKnown).toBe(false);
    expect(text).toMatch(/^HTTP\/1.1 206 [\s\S]*\r\n\r\none$/);
  }
});

test('what is forgotten does not stay in memory for the sake of the heads that asked for it', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const mib = 2 ** 20;
  const site = await startOrigin((_request, response) => {
    response.setHeader('Cache-Control', 's-maxage=60');
    response.end(Buffer.alloc(mib / 2));
  });
  const cache = { maxBytes: 4 * mib, maxEntryBytes: mib };
  const { port, plane } = await startPlane({
    blue: site.port,
    cache,
    proxy: { compress: false },
  });
  // A spy would keep all that it has seen.
  const running = plane.cache as NonNullable<typeof plane.cache>;
  const { look } = running;
  let looks = 0;
  running.look = (...args) => {
    looks++;
    return look(...args);
  };
  const before = process.memoryUsage().arrayBuffers;
  for (let page = 0; page < 80; page++) {
    for (let i = 0; i < 3; i++) {
      await (await fetch(`http://127.0.0.1:${port}/${page}`)).arrayBuffer();
    }
  }
  expect(looks).toBe(160);
  await until(() => {
    collect();
    return process.memoryUsage().arrayBuffers - before < 16 * mib;
  }, 'the memory of forgotten answers to be free');
});

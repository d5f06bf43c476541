import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { type PlaneOptions, startOrigin, startPlane } from '../../support/plane.ts';
import { ask, get, head } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

type Respond = (response: ServerResponse, count: number, url: string) => void;

async function startTagged(respond: Respond, options: PlaneOptions = {}) {
  let count = 0;
  const site = await startOrigin((request, response) => {
    count++;
    response.setHeader('Slots-Cache-Control', 'max-age=60');
    respond(response, count, request.url as string);
  });
  const running = await startPlane({ blue: site.port, green: site.port, cache: {}, ...options });
  const cache = running.plane.cache as NonNullable<typeof running.plane.cache>;
  return { ...running, cache, asked: () => count };
}

/** The lines of an answer's head. */
function linesOf({ fields }: { fields: [string, string][] }): string[] {
  return fields.map(([name, value]) => `${name.toLowerCase()}: ${value}`);
}

const tagged: Respond = (response, count, url) => {
  response.setHeader('Slots-Cache-Tag', `all, of%20${url.slice(1)}`);
  response.end(`answer ${count}`);
};

test('a purge by tag forgets what has it, and nothing else', async () => {
  const { port, cache } = await startTagged(tagged);
  for (const path of ['/a', '/b']) await ask(port, get(path));
  expect(cache.purge([], ['of a'])).toBe(1);
  expect((await ask(port, get('/a'))).body).toBe('answer 3');
  expect((await ask(port, get('/b'))).body).toBe('answer 2');
  expect(cache.purge([], ['none'])).toBe(0);
  expect(cache.purge(['/b'], ['of a'])).toBe(2);
  for (const path of ['/a', '/b']) await ask(port, get(path));
  expect(cache.purge([], ['all'])).toBe(2);
});

test('a head that is known by its bytes is asked for anew after a purge by tag', async () => {
  const { port, cache } = await startTagged(tagged);
  for (let i = 0; i < 4; i++) expect((await ask(port, get('/a'))).body).toBe('answer 1');
  cache.purge([], ['all']);
  expect((await ask(port, get('/a'))).body).toBe('answer 2');
});

test('Cache-Tag counts as well, and goes on to whatever CDN stands before', async () => {
  const { port, cache } = await startTagged((response) => {
    response.setHeader('Cache-Tag', 'post');
    response.end('x');
  });
  expect(linesOf(await ask(port, get('/a')))).toContain('cache-tag: post');
  expect(linesOf(await ask(port, get('/a')))).toContain('cache-tag: post');
  expect(cache.purge([], ['post'])).toBe(1);
});

test.each([{}, { cache: undefined }])(
  'no visitor gets what is for the release cache alone (%o)',
  async (options) => {
    const site = await startOrigin((_request, response) => {
      response.setHeader('Slots-Cache-Control', 'max-age=60');
      response.setHeader('slots-cache-tag', 'post');
      response.end('x');
    });
    const { port } = await startPlane({ blue: site.port, cache: {}, ...options });
    for (let i = 0; i < 3; i++) {
      expect(linesOf(await ask(port, get('/a'))).join('\n')).not.toContain('slots-cache-');
    }
  },
);

test('an answer that a site began before a purge, and sends after it, is not stored', async () => {
  const held: ServerResponse[] = [];
  const { port, cache } = await startTagged((response, count) => {
    response.setHeader('Slots-Cache-Tag', 'post');
    if (count === 1) held.push(response);
    else response.end(`answer ${count}`);
  });
  const slow = ask(port, get('/a'));
  const first = await until(() => held[0], 'the site to be asked');
  cache.purge([], ['post']);
  first.end('from before');
  expect((await slow).body).toBe('from before');
  expect((await ask(port, get('/a'))).body).toBe('answer 2');
  expect((await ask(port, get('/a'))).body).toBe('answer 2');
});

test('an answer that a site began before a POST changed it is not stored', async () => {
  const held: ServerResponse[] = [];
  const { port } = await startTagged((response, count) => {
    if (count === 1) held.push(response);
    else response.end(`answer ${count}`);
  });
  const slow = ask(port, get('/a'));
  const first = await until(() => held[0], 'the site to be asked');
  await ask(port, head('POST /a', 'Host: site.test', 'Content-Length: 0'));
  first.end('from before');
  await slow;
  expect((await ask(port, get('/a'))).body).toBe('answer 3');
});

test('an answer that is found right still after a purge is not stored again', async () => {
  const held: ServerResponse[] = [];
  const { port, cache } = await startTagged((response, count) => {
    response.setHeader('Slots-Cache-Control', 'max-age=0');
    response.setHeader('Slots-Cache-Tag', 'post');
    response.setHeader('ETag', '"one"');
    if (count === 2) held.push(response);
    else response.end(`answer ${count}`);
  });
  await ask(port, get('/a'));
  const slow = ask(port, get('/a'));
  const second = await until(() => held[0], 'the site to be asked');
  expect(cache.purge([], ['post'])).toBe(1);
  second.writeHead(304).end();
  await slow;
  expect(cache.counts.entries).toBe(0);
});

test('a 304 leaves what is for the release cache as it was, and may renew it', async () => {
  const { port, cache, asked } = await startTagged((response, count) => {
    response.setHeader('ETag', '"one"');
    if (count === 1) {
      response.setHeader('Slots-Cache-Control', 'max-age=0');
      response.setHeader('Slots-Cache-Tag', 'first');
      response.end('x');
    } else if (count === 2) {
      response.removeHeader('Slots-Cache-Control');
      response.writeHead(304).end();
    } else {
      response.setHeader('Slots-Cache-Tag', 'second');
      response.writeHead(304).end();
    }
  });
  for (let i = 0; i < 3; i++) await ask(port, get('/a'));
  expect(asked()).toBe(3);
  expect(linesOf(await ask(port, get('/a'))).join('\n')).toContain('slots; hit');
  expect(asked()).toBe(3);
  expect(cache.purge([], ['first'])).toBe(0);
  expect(cache.purge([], ['second'])).toBe(1);
});

test('an answer with more tags than can be kept is passed on and not stored', async () => {
  const { port, cache } = await startTagged(
    (response, count) => {
      for (let i = 0; i < 10_000; i += 1000) {
        const some = Array.from({ length: 1000 }, (_, n) => `${i + n}`);
        response.appendHeader('Cache-Tag', some.join(','));
      }
      response.end(`answer ${count}`);
    },
    { proxy: { limits: { headerBytes: 65_536 } } },
  );
  expect((await ask(port, get('/a'))).body).toBe('answer 1');
  expect((await ask(port, get('/a'))).body).toBe('answer 2');
  expect(cache.counts).toMatchObject({ entries: 0, bytes: 0 });
});

test('tags are counted as memory', async () => {
  const long = Array.from({ length: 1500 }, (_, n) => `tag-${n}`).join(',');
  const { port, cache } = await startTagged(
    (response) => response.setHeader('Cache-Tag', long).end('x'),
    { cache: { maxBytes: 1_000_000 } },
  );
  for (let i = 0; i < 40; i++) await ask(port, get(`/${i}`));
  expect(cache.counts.bytes).toBeGreaterThan(900_000);
  expect(cache.counts.bytes).toBeLessThanOrEqual(1_000_000);
  expect(cache.counts.entries).toBeLessThan(20);
});

test('a path is purged in every way that it can be written', async () => {
  const { port, cache } = await startTagged(tagged);
  for (const path of ['/gr%C3%B6%C3%9Fe/', '/%67r%c3%b6%c3%9fe/', '/other/'])
    await ask(port, get(path));
  expect(cache.purge(['/größe/'])).toBe(2);
  await ask(port, get('/gr%C3%B6%C3%9Fe/?a=1'));
  expect(cache.purge(['/gr%C3%B6%C3%9Fe/'])).toBe(1);
});

import { expect, test } from 'vitest';
import { readRules } from '../../src/instance/static-rules.ts';
import { readTarget, type Target } from '../../src/instance/static-target.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { putFile } from '../support/temp-site.ts';

async function rules(files: { _headers?: string; _redirects?: string }) {
  const folder = await tempFolder();
  for (const [name, text] of Object.entries(files)) await putFile(folder, name, text);
  const told: string[] = [];
  const read = await readRules(folder, (message) => told.push(message));
  const redirect = (target: string, { host = 'a.example', isForced = false } = {}) =>
    read.redirect(readTarget(target) as Target, host, isForced);
  return { ...read, redirect, told };
}

test('gives each path the fields of every rule of _headers that it matches', async () => {
  const { headersFor } = await rules({
    _headers: `# all
/*
  X-Frame-Options: DENY
  Cache-Control: max-age=60
/assets/*
  Cache-Control: max-age=600
  Link: </a.css>; rel=preload
  Link: </b.css>; rel=preload
/posts/:slug
  X-Post: yes
`,
  });
  expect(headersFor('/about')).toEqual({
    'x-frame-options': 'DENY',
    'cache-control': 'max-age=60',
  });
  expect(headersFor('/assets/a.css')).toEqual({
    'x-frame-options': 'DENY',
    'cache-control': 'max-age=600',
    link: '</a.css>; rel=preload, </b.css>; rel=preload',
  });
  expect(headersFor('/posts/one')).toHaveProperty('x-post', 'yes');
  expect(headersFor('/posts/one/two')).not.toHaveProperty('x-post');
});

test('leaves out fields that belong to the message, and says which cannot be one', async () => {
  const { headersFor, told } = await rules({
    _headers: '/*\n  Content-Length: 1\n  Bad Name: x\n  X-Good: 1\n',
  });
  expect(headersFor('/')).toEqual({ 'x-good': '1' });
  expect(told).toEqual([expect.stringMatching(/^_headers: .*bad name/i)]);
});

test('asks for the password of Basic-Auth, and never sends it', async () => {
  const { headersFor, isAllowed } = await rules({
    _headers: '/secret/*\n  Basic-Auth: ann:one bob:two\n',
  });
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  expect(headersFor('/secret/a')).toEqual({});
  expect(isAllowed('/open', undefined)).toBe(true);
  expect(isAllowed('/secret/a', undefined)).toBe(false);
  expect(isAllowed('/secret/a', basic('ann:two'))).toBe(false);
  expect(isAllowed('/secret/a', basic('bob:two'))).toBe(true);
});

test.each([
  ['/old', { status: 301, to: '/new' }],
  ['/old/', { status: 301, to: '/new' }],
  ['/old?a=1', { status: 301, to: '/new?a=1' }],
  ['/news/2024/x', { status: 302, to: '/blog/2024/x' }],
  ['/news', { status: 302, to: '/blog/' }],
  ['/news/%C3%BCber%23', { status: 302, to: '/blog/%C3%BCber%23' }],
  ['/y/2024/m/05', { status: 308, to: 'https://b.example/2024-05' }],
  ['/store?id=7', { status: 301, to: '/item/7' }],
  ['/store', null],
  ['/app/deep/link', { status: 200, to: '/index.html' }],
  ['/gone', { status: 410, to: '/gone.html' }],
  ['/any/%2Fevil.example', { status: 301, to: '/evil.example' }],
  ['/else', null],
])('sends %s where _redirects says', async (target, expected) => {
  const { redirect, told } = await rules({
    _redirects: `/old /new # moved
/news/* /blog/:splat 302
/y/:year/m/:month https://b.example/:year-:month 308
/store id=:id /item/:id 301
/app/* /index.html 200
/gone /gone.html 410
/any/* /:splat
`,
  });
  expect(redirect(target)).toEqual(expected);
  expect(told).toEqual([]);
});

test('takes the first rule that matches, for one host only where it names one', async () => {
  const { redirect } = await rules({
    _redirects: 'http://b.example/* https://a.example/:splat 301\n/x /one\n/x /two\n',
  });
  expect(redirect('/x')).toEqual({ status: 301, to: '/one' });
  expect(redirect('/x', { host: 'b.example' })).toEqual({ status: 301, to: 'https://a.example/x' });
});

test('keeps rules that go before a file apart from those that come after', async () => {
  const { redirect } = await rules({ _redirects: '/a /b 301!\n/c /d\n' });
  expect(redirect('/a')).toBeNull();
  expect(redirect('/a', { isForced: true })).toEqual({ status: 301, to: '/b' });
  expect(redirect('/c', { isForced: true })).toBeNull();
});

test('leaves out what needs more than a folder, and says each', async () => {
  const { redirect, told } = await rules({
    _redirects: '/api/* https://api.example/:splat 200\n/ /de 302 Country=de\nnonsense\n',
  });
  expect(redirect('/api/x')).toBeNull();
  expect(redirect('/')).toBeNull();
  expect(told).toEqual([
    expect.stringContaining('redirect line 3'),
    expect.stringContaining('/api/*: https://api.example/:splat is another server'),
    expect.stringContaining('the condition Country is not known here'),
  ]);
});

import { expect, test } from 'vitest';
import { createHostTable } from '../../src/config/host-table.ts';

const table = createHostTable([
  { hosts: ['example.com', '*.example.com'], value: 'main' },
  { hosts: ['blog.example.com', '*.blog.example.com'], value: 'blog' },
  { hosts: ['localhost'], value: 'local' },
]);

test('an exact host wins over a wildcard that fits too', () => {
  expect(table.find('blog.example.com')).toBe('blog');
});

test('the longest wildcard wins', () => {
  expect(table.find('a.blog.example.com')).toBe('blog');
  expect(table.find('a.b.blog.example.com')).toBe('blog');
  expect(table.find('shop.example.com')).toBe('main');
});

test('a wildcard does not stand for the name that it is below', () => {
  const only = createHostTable([{ hosts: ['*.example.com'], value: 'main' }]);
  expect(only.find('example.com')).toBeUndefined();
  expect(only.find('notexample.com')).toBeUndefined();
});

test('a host of no site is found nowhere', () => {
  for (const host of ['', 'com', 'example.org', '*.example.org', 'sub.localhost']) {
    expect(table.find(host), host).toBeUndefined();
  }
});

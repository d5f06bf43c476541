import { expect, test } from 'vitest';
import { contested, hostName, hostOf } from '../../src/config/host-names.ts';

test('hosts are names and wildcards, in lower case', () => {
  for (const [text, host] of [
    ['Blog.Example.com', 'blog.example.com'],
    ['*.example.com.', '*.example.com'],
    ['localhost', 'localhost'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['127.0.0.1', '127.0.0.1'],
  ]) {
    expect(hostName.parse(text)).toBe(host);
  }
});

test('what is no host is refused', () => {
  for (const text of [
    '',
    '*',
    '*.',
    'a..b',
    '-a.com',
    'a.com:80',
    'http://a.com',
    'a.com/',
    'bücher.de',
    'a*.com',
    '*.*.com',
    'a b',
  ]) {
    expect(hostName.safeParse(text).success, text).toBe(false);
  }
});

test('a field names a host without its port, in any case and with a dot at its end', () => {
  expect(hostOf('Example.COM:8080')).toBe('example.com');
  expect(hostOf('example.com.')).toBe('example.com');
  expect(hostOf('[2001:DB8::1]:80')).toBe('[2001:db8::1]');
});

test('two sites that claim one host are told apart by its name', () => {
  const others = [{ name: 'blog', hosts: ['blog.test', '*.blog.test'] }];
  expect(contested(['new.test', '*.blog.test'], others)).toEqual({
    host: '*.blog.test',
    by: 'blog',
  });
  expect(contested(['www.blog.test'], others)).toBeNull();
});

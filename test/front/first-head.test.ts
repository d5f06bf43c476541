import { expect, test } from 'vitest';
import { readFirstHead } from '../../src/front/first-head.ts';

test('the host is read from the field, in lower case and without its port', () => {
  const head = 'GET / HTTP/1.1\r\nAccept: */*\r\nhOsT:  Blog.Example.COM:8080 \r\n\r\n';
  expect(readFirstHead(head)).toEqual({ host: 'blog.example.com' });
});

test('the host is known before the head has come to its end', () => {
  expect(readFirstHead('POST /a HTTP/1.1\r\nHost: a.test\r\nCont')).toEqual({ host: 'a.test' });
});

test('the absolute form of a target wins over the field', () => {
  const head = 'GET http://one.test/x HTTP/1.1\r\nHost: two.test\r\n\r\n';
  expect(readFirstHead(head)).toEqual({ host: 'one.test' });
});

test('a field in the body or in another value is none', () => {
  expect(readFirstHead('GET /?host:a HTTP/1.1\r\nX: host: b\r\n\r\n')).toBe('none');
});

test('a head that may still bring its host is waited for at every byte', () => {
  const head = 'GET /path HTTP/1.1\r\nAccept: a\r\nHost: a.test';
  for (let end = 0; end <= head.length; end++) {
    expect(readFirstHead(head.slice(0, end)), String(end)).toBe('more');
  }
});

test('what is no HTTP/1.1 request is not waited for', () => {
  expect(readFirstHead('\x16\x03\x01\x02\x00')).toBe('none');
  expect(readFirstHead('hello\r\n')).toBe('none');
  expect(readFirstHead('GET / HTTP/1.0\r\n\r\n')).toBe('none');
  expect(readFirstHead('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).toBe('none');
});

test('empty lines before a request are passed over', () => {
  expect(readFirstHead('\r\n\r\nGET / HTTP/1.1\r\nHost: a.test\r\n')).toEqual({ host: 'a.test' });
});

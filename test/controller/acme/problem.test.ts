import { expect, test } from 'vitest';
import { adviceFor, parseRetryAfter, toProblem } from '../../../src/controller/acme/problem.ts';

const of = (type: string, detail = 'no') =>
  toProblem({ type: `urn:ietf:params:acme:error:${type}`, detail }, 400, null);

test('a problem keeps the reason in the words of the CA', () => {
  const caa = of('caa', 'CAA record for example.com prevents issuance');
  expect(caa).toEqual({
    type: 'caa',
    detail: 'CAA record for example.com prevents issuance',
    retryAfterMs: null,
  });
});

test('the subproblem of an order tells more than the whole', () => {
  const body = {
    type: 'urn:ietf:params:acme:error:compound',
    detail: 'several',
    subproblems: [{ type: 'urn:ietf:params:acme:error:dns', detail: 'no such host' }],
  };
  expect(toProblem(body, 400, 5)).toEqual({
    type: 'dns',
    detail: 'no such host',
    retryAfterMs: 5,
  });
});

test('an answer that is no problem document is told by its status', () => {
  expect(toProblem('<html>', 502, null)).toMatchObject({
    type: 'unknown',
    detail: 'it answered 502',
  });
});

test.each([
  ['dns', 'DNS entries'],
  ['connection', 'ports 80 and 443'],
  ['unauthorized', 'somebody else answers'],
  ['caa', 'CAA entry'],
  ['rateLimited', 'wait'],
  ['rejectedIdentifier', 'take it out'],
  ['invalidContact', 'email'],
])('a refusal for %s says what to do', (type, remedy) => {
  expect(adviceFor(of(type), 'example.com')).toContain(remedy);
});

test('a name that cannot be looked up is a matter of DNS, whatever a CA calls it', () => {
  const lookup = of('connection', 'lookup one.example: no such host');
  expect(adviceFor(lookup, 'one.example')).toContain('DNS entries');
  expect(adviceFor(lookup, 'one.example')).not.toContain('ports');
});

test('Retry-After is a number of seconds or a date', () => {
  const now = Date.UTC(2026, 0, 1);
  expect(parseRetryAfter('120', now)).toBe(120_000);
  expect(parseRetryAfter('Thu, 01 Jan 2026 00:01:00 GMT', now)).toBe(60_000);
  expect(parseRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(0);
  expect(parseRetryAfter('soon', now)).toBeNull();
  expect(parseRetryAfter(undefined, now)).toBeNull();
});

import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { time } from '../schemas.ts';

export const certificateAnswer = z
  .strictObject({
    hosts: z.array(z.string()).describe('the names that it is for, or is to be for'),
    state: z.enum(['valid', 'renewing', 'ordering', 'waiting', 'expired']),
    issuer: z.string().nullable().describe("the CA's name; null while there is no certificate"),
    notBefore: time.nullable(),
    notAfter: time.nullable(),
    nextTry: time.nullable().describe('when the next one is ordered; null for files'),
    isLate: z.boolean().describe('there is none, or less than a third of its life is left'),
    lastError: z.string().nullable().describe('why the last try failed, in one line'),
    hint: z.string().nullable().describe('what to do about it'),
  })
  .meta({ id: 'Certificate' });

const EXAMPLE = {
  hosts: ['example.com'],
  state: 'valid' as const,
  issuer: 'E7',
  notBefore: '2026-01-01T08:00:00.000Z',
  notAfter: '2026-04-01T08:00:00.000Z',
  nextTry: '2026-03-02T08:00:00.000Z',
  isLate: false,
  lastError: null,
  hint: null,
};

export const certificatesRoute = defineRoute({
  method: 'GET',
  url: '/api/certificates',
  schema: { response: { 200: z.array(certificateAnswer).meta({ id: 'Certificates' }) } },
  config: {
    summary: 'Certificates: hosts, issuer, end, next try and last error; none without HTTPS',
    needs: 'token',
    example: { answer: [EXAMPLE] },
  },
  handler: ({ server }) => server.operations.certificates(),
});

export const renewRoute = defineRoute({
  method: 'POST',
  url: '/api/certificates/renew',
  schema: {
    body: z.strictObject({
      host: z.string().nullable().describe('one of `proxy.tls.acme.hosts`; null: all of them'),
    }),
    response: {
      200: z
        .strictObject({
          results: z.array(
            z.strictObject({
              host: z.string(),
              error: z.string().nullable().describe('null when there is a new certificate'),
              hint: z.string().nullable(),
            }),
          ),
        })
        .meta({ id: 'Renewed' }),
    },
  },
  config: {
    summary: 'Order certificates anew; answered when they are there or have failed',
    needs: 'token',
    example: {
      body: { host: 'example.com' },
      answer: { results: [{ host: 'example.com', error: null, hint: null }] },
    },
  },
  handler: ({ server, body }) => server.operations.renewCertificates(body.host),
});

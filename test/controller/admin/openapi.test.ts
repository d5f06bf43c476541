import { describe, expect, test } from 'vitest';
import { createRoutes } from '../../../src/controller/admin/api.ts';
import { CALLS, COMPONENTS } from '../../../src/controller/admin/calls.ts';
import { openApi } from '../../../src/controller/admin/openapi.ts';
import { apiDocument } from '../../support/api-document.ts';
import { testOperations } from '../../support/test-operations.ts';

const named = CALLS.map((call) => ({ ...call, route: `${call.method} ${call.path}` }));

test('every call of the API is documented, and none else', () => {
  const routes = Object.keys(createRoutes(testOperations().operations));
  const documented = named.map(({ route }) => route).filter((route) => route.includes('/api/'));
  expect(documented.sort()).toEqual(routes.sort());
});

describe('the examples', () => {
  test.each(named)(
    'of $route are such calls and such answers',
    ({ query, body, answer, example }) => {
      if (query) query.parse(Object.fromEntries(new URLSearchParams(example.query)));
      if (body) body.parse(example.body);
      if (answer.type === 'application/json' && answer.schema) {
        expect(COMPONENTS[answer.schema]?.parse(example.answer)).toEqual(example.answer);
      }
      if (answer.type === 'text/event-stream') {
        COMPONENTS.Event?.parse(JSON.parse(String(example.answer).slice('data: '.length)));
      }
    },
  );
});

describe('the OpenAPI document', () => {
  const document = openApi();
  const text = JSON.stringify(document);

  test('refers to nothing that it does not hold', () => {
    const held = Object.keys((document.components as { schemas: object }).schemas);
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(CALLS.length);
    for (const [, name] of references) expect(held).toContain(name);
    expect(text).not.toContain('$schema');
    expect(text).not.toContain('$id');
  });

  test('gives every operation a name of its own, an answer and an example', () => {
    const operations = Object.values(document.paths as Record<string, object>).flatMap((path) =>
      Object.values(path),
    );
    expect(operations).toHaveLength(CALLS.length);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(CALLS.length);
    for (const { responses, security } of operations) {
      expect(Object.values(responses[200].content)[0]).toHaveProperty('example');
      expect(security).toBeInstanceOf(Array);
    }
  });
});

// `npx vitest run test/controller/admin/openapi.test.ts -u` writes it anew.
test('docs/api.md says what the code says', async () => {
  await expect(apiDocument()).toMatchFileSnapshot('../../../docs/api.md');
});

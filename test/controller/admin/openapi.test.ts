import { expect, test } from 'vitest';
import { openApi } from '../../../src/controller/admin/openapi.ts';
import { ROUTES } from '../../../src/controller/admin/routes/index.ts';
import { apiDocument } from '../../support/api-document.ts';

test.each(ROUTES)(
  'the example of $method $url is such a call and such an answer',
  ({ schema, config }) => {
    const { example, produces } = config;
    schema.querystring?.parse(Object.fromEntries(new URLSearchParams(example.query)));
    schema.body?.parse(example.body);
    const answer =
      produces === 'text/event-stream'
        ? JSON.parse(String(example.answer).slice('data: '.length))
        : example.answer;
    expect(schema.response?.[200].parse(answer) ?? answer).toEqual(answer);
  },
);

const document = openApi(ROUTES);
const text = JSON.stringify(document);

test('the OpenAPI document refers to nothing that it does not hold', () => {
  const held = Object.keys((document.components as { schemas: object }).schemas);
  const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
  expect(references.length).toBeGreaterThan(ROUTES.length);
  for (const [, name] of references) expect(held).toContain(name);
  expect(text).not.toContain('$schema');
  expect(text).not.toContain('$id');
});

test('the OpenAPI document gives every operation a name of its own, an answer and an example', () => {
  const operations = Object.values(document.paths as Record<string, object>).flatMap((path) =>
    Object.values(path),
  );
  expect(operations).toHaveLength(ROUTES.length);
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(ROUTES.length);
  for (const { responses, security } of operations) {
    expect(Object.values(responses[200].content)[0]).toHaveProperty('example');
    expect(security).toBeInstanceOf(Array);
  }
});

// `npx vitest run test/controller/admin/openapi.test.ts -u` writes it anew.
test('docs/api.md says what the code says', async () => {
  await expect(apiDocument()).toMatchFileSnapshot('../../../docs/api.md');
});

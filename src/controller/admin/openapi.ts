import { z } from 'zod';
import { VERSION } from '../../version.ts';
import { errorAnswer } from './error-answer.ts';
import type { Route } from './route.ts';

type Json = Record<string, unknown>;

/** The routes as an OpenAPI 3.1 document, whose schemas are JSON Schema as it is. */
export function openApi(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    paths[route.url] = { ...paths[route.url], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'slots admin API', version: VERSION },
    security: [{ token: [] }],
    paths,
    components: {
      schemas: componentSchemas(routes),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'what slots/admin-token holds' },
        tokenInQuery: { type: 'apiKey', in: 'query', name: 'token' },
        signature: {
          type: 'apiKey',
          in: 'header',
          name: 'X-Hub-Signature-256',
          description:
            'or X-Hub-Signature (Bitbucket), X-Forgejo-Signature, X-Gitea-Signature, webhook-signature (GitLab), or the secret itself as X-Gitlab-Token',
        },
      },
    },
  };
}

function operation({ method, url, schema, config }: Route): Json {
  const { summary, example, produces = 'application/json' } = config;
  const answer = schema.response?.[200];
  const body = schema.body && bare(z.toJSONSchema(schema.body));
  return {
    operationId: `${method.toLowerCase()} ${url}`.replaceAll(/[^a-z]+(.)/g, (_, next) =>
      next.toUpperCase(),
    ),
    summary,
    security: securityOf(config),
    ...(schema.querystring && { parameters: parametersOf(schema.querystring) }),
    ...(body && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: body, example: example.body } },
      },
    }),
    responses: {
      200: {
        description: 'done',
        content: {
          [produces]: {
            ...(answer && { schema: { $ref: refTo(nameOf(answer)) } }),
            example: example.answer,
          },
        },
      },
      default: {
        description: 'why not',
        content: { 'application/json': { schema: { $ref: refTo(nameOf(errorAnswer)) } } },
      },
    },
  };
}

function securityOf({ needs, tokenInQuery }: Route['config']): Json[] {
  if (needs === 'nothing') return [];
  if (needs === 'signature') return [{ signature: [] }];
  return tokenInQuery ? [{ token: [] }, { tokenInQuery: [] }] : [{ token: [] }];
}

function parametersOf(query: z.ZodObject): Json[] {
  const { properties = {} } = z.toJSONSchema(query, { io: 'input' });
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema,
  }));
}

/** Answers have names, by which they refer to each other. */
function componentSchemas(routes: readonly Route[]): Json {
  const answers = routes.flatMap(({ schema }) => schema.response?.[200] ?? []);
  const registry = z.registry<{ id: string }>();
  for (const answer of [...answers, errorAnswer]) registry.add(answer, { id: nameOf(answer) });
  const { schemas } = z.toJSONSchema(registry, { uri: refTo });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, bare(schema)]));
}

/** @throws Error for an answer without `.meta({ id })` */
function nameOf(answer: z.ZodType): string {
  const id = z.globalRegistry.get(answer)?.id;
  if (id === undefined) throw new Error('an answer of the API has no name');
  return id;
}

function refTo(id: string): string {
  return `#/components/schemas/${id}`;
}

/** Without the fields that are about a document of its own, and zod's own name for it. */
function bare(schema: object): Json {
  const { $schema: _, $id: __, id: ___, ...rest } = schema as Json;
  return rest;
}

import { z } from 'zod';
import { VERSION } from '../../version.ts';
import { CALLS, type Call, COMPONENTS } from './calls.ts';

type Json = Record<string, unknown>;

/** The admin API as an OpenAPI 3.1 document, whose schemas are JSON Schema as it is. */
export function openApi(): Json {
  const paths: Record<string, Json> = {};
  for (const call of CALLS) {
    paths[call.path] = { ...paths[call.path], [call.method.toLowerCase()]: operation(call) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'slots admin API', version: VERSION },
    security: [{ token: [] }],
    paths,
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'what slots/admin-token holds' },
        tokenInQuery: { type: 'apiKey', in: 'query', name: 'token' },
        signature: {
          type: 'apiKey',
          in: 'header',
          name: 'X-Hub-Signature-256',
          description: 'or X-Gitea-Signature, or the secret itself as X-Gitlab-Token',
        },
      },
    },
  };
}

function operation({ method, path, summary, needs, query, body, answer, example }: Call): Json {
  const requestBody = body && {
    required: true,
    content: { 'application/json': { schema: bare(z.toJSONSchema(body)), example: example.body } },
  };
  return {
    operationId: `${method.toLowerCase()} ${path}`.replaceAll(/[^a-z]+(.)/g, (_, next) =>
      next.toUpperCase(),
    ),
    summary,
    security: securityOf(path, needs),
    ...(query && { parameters: parametersOf(query) }),
    ...(requestBody && { requestBody }),
    responses: {
      200: {
        description: 'done',
        content: {
          [answer.type]: {
            ...(answer.schema && { schema: { $ref: refTo(answer.schema) } }),
            example: example.answer,
          },
        },
      },
      default: {
        description: 'why not',
        content: { 'application/json': { schema: { $ref: refTo('Error') } } },
      },
    },
  };
}

function securityOf(path: string, needs: Call['needs']): Json[] {
  if (needs === 'nothing') return [];
  if (needs === 'signature') return [{ signature: [] }];
  return path === '/api/events' ? [{ token: [] }, { tokenInQuery: [] }] : [{ token: [] }];
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

function componentSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(COMPONENTS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: refTo });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, bare(schema)]));
}

function refTo(id: string): string {
  return `#/components/schemas/${id}`;
}

/** Without the fields that are about a document of its own. */
function bare(schema: object): Json {
  const { $schema: _, $id: __, ...rest } = schema as Json;
  return rest;
}

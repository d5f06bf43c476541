/** The declaration of a call: each is a file in routes/ with its schemas, its example and its handler. */
import type {
  FastifySchema,
  FastifyTypeProvider,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
  RouteGenericInterface,
  RouteOptions,
} from 'fastify';
import type { z } from 'zod';
import type { GitHook } from '../deploy/hook.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Operations } from './api.ts';

/** Facts about a call besides its schemas, for the docs, the OpenAPI document and the guard. */
export interface RouteNotes {
  summary: string;
  /** A caller shows this on the admin port; the control socket asks for nothing. */
  needs: 'token' | 'nothing' | 'signature';
  /** The token may come as `?token=` too. */
  tokenInQuery?: true;
  /** Of the answer; without it JSON. */
  produces?: 'text/plain' | 'text/event-stream';
  example: { query?: string; body?: unknown; answer: unknown };
  /** Left out of the control socket. */
  adminPortOnly?: true;
}

declare module 'fastify' {
  interface FastifyContextConfig extends Partial<RouteNotes> {}

  interface FastifyInstance {
    operations: Operations;
    openApi(): object;
    /** On the admin port only. */
    metrics: Metrics;
    /** On the admin port only, and only with `deploy` in the config. */
    gitHook: GitHook;
  }
}

/** Fastify's requests and replies, typed by the routes' zod schemas. */
export interface ZodTypes extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown;
  serializer: this['schema'] extends z.ZodType ? z.input<this['schema']> : unknown;
}

interface RouteSchema extends FastifySchema {
  querystring?: z.ZodObject;
  body?: z.ZodType;
  response?: { 200: z.ZodType };
}

type Options<S extends RouteSchema> = RouteOptions<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  RouteGenericInterface,
  RouteNotes,
  S,
  ZodTypes
>;

/** A declared call, whatever its handler takes and gives. */
export type Route = RouteOptions & {
  method: 'GET' | 'POST';
  schema: RouteSchema;
  config: RouteNotes;
};

export function defineRoute<const S extends RouteSchema>(
  route: Options<S> & { method: 'GET' | 'POST'; schema: S; config: RouteNotes },
): Route {
  // Handlers differ in what they take: Fastify calls each with what its own schemas let through.
  return route as unknown as Route;
}

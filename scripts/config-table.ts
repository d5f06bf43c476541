/** The tables of docs/configuration.md, from the schema (types, defaults) and its doc comments. */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { LONGEST_MS } from '../src/config/milliseconds.ts';
import { configSchema } from '../src/config/schema.ts';
import { docComments } from './doc-comments.ts';

interface JsonSchema {
  type?: string;
  default?: unknown;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  format?: string;
  required?: string[];
  additionalProperties?: JsonSchema | boolean;
}

const FOLDER = fileURLToPath(new URL('../src/config', import.meta.url));

/** @throws Error naming the keys that have no doc comment */
export function configTables(): string {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    unrepresentable: 'any',
  }) as JsonSchema;
  const comments = docComments(FOLDER, 'configSchema');
  const missing: string[] = [];
  const describe = (path: string) => {
    const comment = comments.get(path);
    if (comment === undefined) missing.push(path);
    return comment ?? '';
  };
  const text = group(schema, '', describe).join('\n\n');
  if (missing.length > 0) {
    throw new Error(`no doc comment in src/config/*schema.ts: ${missing.join(', ')}`);
  }
  return text;
}

type Describe = (path: string) => string;

/** A table of what is simple, then each group with a heading and a table of its own. */
function group(schema: JsonSchema, path: string, describe: Describe): string[] {
  const keys = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    return [key, orFalse(value)] as const;
  });
  const simple = keys.filter(([, value]) => !isGroup(value));
  const rows = simple.map(([key, value]) => row(join(path, key), value, schema, describe));
  const table = ['| key | type | default | |', '|---|---|---|---|', ...rows].join('\n');
  const groups = keys.filter(([, value]) => isGroup(value));
  return [
    ...(rows.length > 0 ? [table] : []),
    ...groups.flatMap(([key, value]) => {
      const below = join(path, key);
      const inner = value.items ?? value;
      const optional = isOptional(value, key, schema) ? ' Not set by default.' : '';
      const heading = `### \`${below}${value.items ? '[]' : ''}\``;
      return [heading, `${describe(below)}${optional}`, ...group(inner, below, describe)];
    }),
  ];
}

/** A group that may be turned off by `false`, as the group. */
function orFalse(value: JsonSchema): JsonSchema {
  const [off, on, ...more] = value.anyOf ?? [];
  const isRest = more.every((each) => each.const === true);
  const isGroupOrFalse = off?.const === false && on?.properties !== undefined && isRest;
  return isGroupOrFalse ? { ...on, default: value.default } : value;
}

function isGroup({ properties, items }: JsonSchema): boolean {
  return properties !== undefined || items?.properties !== undefined;
}

function isOptional(value: JsonSchema, key: string, parent: JsonSchema): boolean {
  return value.default === undefined && !parent.required?.includes(key);
}

function row(path: string, value: JsonSchema, parent: JsonSchema, describe: Describe): string {
  const comment = describe(path);
  // What the schema cannot say: defaults that depend on the site.
  const [, said] = / Default: (.*?)\.$/.exec(comment) ?? [];
  const text = said ? comment.slice(0, -` Default: ${said}.`.length) : comment;
  const key = path.split('.').at(-1) as string;
  const required = parent.required?.includes(key) ? 'required' : 'none';
  const standard =
    value.default === undefined ? (said ?? required) : `\`${literal(value.default)}\``;
  const cells = [`\`${path}\``, typeOf(value), standard, text];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function typeOf(value: JsonSchema): string {
  if (value.enum) return value.enum.map((each) => `\`${literal(each)}\``).join(', ');
  if ('const' in value) return `\`${literal(value.const)}\``;
  if (value.anyOf) return value.anyOf.map(typeOf).join(' or ');
  if (value.type === 'array') return `list of ${plural(typeOf(value.items ?? {}))}`;
  if (value.type === 'integer') return `whole number${range(value)}`;
  if (value.type === 'number') return `number${range(value)}`;
  if (value.type === 'object') return 'strings by name';
  return value.type ?? 'anything';
}

function plural(type: string): string {
  return type === 'string' ? 'strings' : type;
}

function range({ minimum, maximum = Number.MAX_SAFE_INTEGER }: JsonSchema): string {
  // The page says the longest time once.
  if (maximum < Number.MAX_SAFE_INTEGER && maximum !== LONGEST_MS) return `, ${minimum}–${maximum}`;
  return minimum ? `, at least ${minimum}` : '';
}

/** As it is written in slots.config.ts. */
function literal(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  return JSON.stringify(value);
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** The doc comments of the config schema's source: the one place where a key is described. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Entry {
  comment: string;
  /** The schema that the value is, when it has a name: `proxySchema` of `proxy: proxySchema,`. */
  refersTo: string | null;
}

/** `key` or `group.key` or `list[].key` → its doc comment. Relies on the formatter's indentation. */
export function docComments(folder: string, schema: string): Map<string, string> {
  const bySchema = readSchemas(folder);
  const found = new Map<string, string>();
  const add = (name: string, prefix: string) => {
    for (const [key, { comment, refersTo }] of bySchema.get(name) ?? []) {
      const path = [prefix, key].filter((part) => part !== '').join('.');
      // A key without a comment of its own has that of the schema it refers to.
      if (key === '' && found.has(path)) continue;
      if (comment !== '') found.set(path, comment);
      if (refersTo) add(refersTo, path);
    }
  };
  add(schema, '');
  return found;
}

function readSchemas(folder: string): Map<string, Map<string, Entry>> {
  const schemas = new Map<string, Map<string, Entry>>();
  const files = readdirSync(folder).filter((name) => /schema\.ts$/.test(name));
  for (const file of files) {
    readSchemaFile(readFileSync(join(folder, file), 'utf8'), schemas);
  }
  return schemas;
}

function readSchemaFile(text: string, schemas: Map<string, Map<string, Entry>>): void {
  let current = new Map<string, Entry>();
  let comment = '';
  /** The keys that enclose the line, with their indentation. */
  let open: { key: string; indent: number }[] = [];
  // A comment is one token, however many lines it has.
  for (const [line] of text.matchAll(/^ *\/\*\*[\s\S]*?\*\/$|^.*$/gm)) {
    const indent = line.length - line.trimStart().length;
    const name = /^(?:export )?const (\w+Schema)\b/.exec(line)?.[1];
    const [, key, value = ''] = /^ +(\w+): (.*)$|^ +(\w+):$/.exec(line) ?? [];
    if (line.trimStart().startsWith('/**')) {
      comment = textOf(line);
      continue;
    }
    if (/^\w/.test(line)) {
      current = new Map();
      open = [];
    }
    if (name) {
      // "`proxy` of the config: the data plane's shape." is about a key that the page names already.
      const about = comment.replace(/^`\w+` of the config: (.)/, (_all, first) =>
        first.toUpperCase(),
      );
      current.set('', { comment: about, refersTo: null });
      schemas.set(name, current);
    } else if (key && indent > 0) {
      open = open.filter((each) => each.indent < indent);
      const path = [...open.map((each) => each.key), key].join('.');
      current.set(path, { comment, refersTo: /^(\w+Schema)\b/.exec(value)?.[1] ?? null });
      open.push({ key, indent });
    }
    if (line.trim() !== '') comment = '';
  }
}

function textOf(comment: string): string {
  return comment
    .replace(/^ *\/\*\*/, '')
    .replace(/\*\/$/, '')
    .split('\n')
    .map((line) => line.replace(/^ *\* ?/, '').trim())
    .join(' ')
    .trim();
}

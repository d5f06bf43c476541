import { type Change, lineEndOf } from './change.ts';

const SCRIPTS: Record<string, string> = {
  'slots:up': 'slots up',
  'slots:status': 'slots status --watch',
};

/** Adds our scripts to a package.json, and leaves every other character of it as it is. */
export function withScripts(text: string): Change {
  const known = (JSON.parse(text) as { scripts?: Record<string, string> }).scripts;
  const missing = Object.entries(SCRIPTS).filter(([name]) => known?.[name] === undefined);
  const other = Object.entries(SCRIPTS).filter(
    ([name, command]) => typeof known?.[name] === 'string' && known[name] !== command,
  );
  const change = { path: 'package.json', what: `scripts ${Object.keys(SCRIPTS).join(', ')}` };
  let after = text;
  for (const [name, command] of other) after = replaceScript(after, name, command);
  if (missing.length > 0) after = addScripts(after, missing, known !== undefined);
  const effect = other.length > 0 ? 'replaces' : missing.length > 0 ? 'adds' : 'same';
  return { ...change, text: after, effect };
}

function addScripts(text: string, scripts: [string, string][], hasObject: boolean): string {
  const root = findObject(text, text.indexOf('{'));
  const pairs = scripts.map(
    ([name, command]) => `${JSON.stringify(name)}: ${JSON.stringify(command)}`,
  );
  if (hasObject) {
    const value = root.values.get('scripts') as number;
    return insert(text, findObject(text, value), pairs, 2);
  }
  const [unit, eol] = [indentOf(text), lineEndOf(text)];
  const body = pairs.map((pair) => unit + unit + pair).join(`,${eol}`);
  return insert(text, root, [`"scripts": {${eol}${body}${eol}${unit}}`], 1);
}

function replaceScript(text: string, name: string, command: string): string {
  const root = findObject(text, text.indexOf('{'));
  const scripts = findObject(text, root.values.get('scripts') as number);
  const start = scripts.values.get(name) as number;
  return text.slice(0, start) + JSON.stringify(command) + text.slice(endOfString(text, start));
}

interface FoundObject {
  /** Where the value of each key begins. */
  values: Map<string, number>;
  /** Behind the last value, or behind the opening brace of an empty object. */
  lastEnd: number;
  isMultiLine: boolean;
}

function insert(text: string, object: FoundObject, pairs: string[], depth: number): string {
  const [unit, eol] = [indentOf(text), lineEndOf(text)];
  const isEmpty = object.values.size === 0;
  const onOwnLines = object.isMultiLine || isEmpty;
  const before = onOwnLines ? eol + unit.repeat(depth) : ' ';
  const added = pairs.map((pair) => before + pair).join(',');
  const close = isEmpty && !object.isMultiLine ? eol + unit.repeat(depth - 1) : '';
  return `${text.slice(0, object.lastEnd)}${isEmpty ? '' : ','}${added}${close}${text.slice(object.lastEnd)}`;
}

/** Reads the object whose brace is at `start`, in JSON that is known to parse. */
function findObject(text: string, start: number): FoundObject {
  const values = new Map<string, number>();
  let lastEnd = start + 1;
  let depth = 0;
  let key: string | null = null;
  for (let at = start; ; at++) {
    const char = text[at] as string;
    if (char === '"') {
      const end = endOfString(text, at);
      // The first string after a brace or a comma is a key, the next thing is its value.
      if (depth === 1 && key === null) key = JSON.parse(text.slice(at, end));
      else if (depth === 1 && !values.has(key as string)) values.set(key as string, at);
      at = end - 1;
      lastEnd = depth === 1 ? end : lastEnd;
    } else if (char === '{' || char === '[') {
      if (depth === 1) values.set(key as string, at);
      depth++;
    } else if (char === '}' || char === ']') {
      depth--;
      if (depth === 0)
        return { values, lastEnd, isMultiLine: text.slice(start, at).includes('\n') };
      if (depth === 1) lastEnd = at + 1;
    } else if (char === ',' && depth === 1) key = null;
    else if (depth === 1 && /[^\s:]/.test(char)) {
      if (!values.has(key as string)) values.set(key as string, at);
      lastEnd = at + 1;
    }
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** The file's own indentation of one level; two spaces where nothing tells. */
function indentOf(text: string): string {
  return /^([ \t]+)"/m.exec(text)?.[1] ?? '  ';
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Every `event` that some code logs; those of a stage are put together from its name. */
function eventsOfCode(): Set<string> {
  const found = new Set<string>();
  for (const file of readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const text = readFileSync(join(ROOT, 'src', file), 'utf8');
    for (const [line] of text.matchAll(/\bevent: .*/g)) {
      for (const [, name] of line.matchAll(/'([a-z]+\.[a-z.-]+)'/g)) found.add(name as string);
    }
  }
  return found;
}

/** Those of CONTRIBUTING.md's table, where `.stop` takes its first word from the one before it. */
function eventsOfDocs(): Set<string> {
  const text = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
  const rows = text.slice(text.indexOf('| event | when |')).split('\n\n')[0] as string;
  const found = new Set<string>();
  for (const row of rows.split('\n').slice(2)) {
    let group = '';
    for (const [, name] of (row.split('|')[1] as string).matchAll(/`([a-z.-]+)`/g)) {
      const full = (name as string).startsWith('.') ? group + name : (name as string);
      group = full.slice(0, full.indexOf('.'));
      found.add(full);
    }
  }
  return found;
}

test('every event that the log may have is in the table of CONTRIBUTING.md', () => {
  const docs = eventsOfDocs();
  expect([...eventsOfCode()].filter((event) => !docs.has(event))).toEqual([]);
});

test('every event in the table of CONTRIBUTING.md is one that some code logs', () => {
  const stages = ['build', 'start', 'check', 'flip', 'drain', 'reload', 'put-back'];
  const code = new Set([...eventsOfCode(), ...stages.map((stage) => `promotion.${stage}`)]);
  expect([...eventsOfDocs()].filter((event) => !code.has(event))).toEqual([]);
});

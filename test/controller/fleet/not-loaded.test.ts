import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../../../src', import.meta.url));

/** All that Node loads with this file, before anything is imported while it runs; packages by their names. */
function loadedWith(file: string, found = new Set<string>()): Set<string> {
  const name = relative(SRC, file);
  if (found.has(name)) return found;
  found.add(name);
  const text = readFileSync(file, 'utf8');
  const imports = /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)';/gm;
  for (const [, target = ''] of text.matchAll(imports)) {
    if (target.startsWith('.')) loadedWith(resolve(dirname(file), target), found);
    else found.add(target);
  }
  return found;
}

test.each(['controller/main.ts', 'proxy/main.ts', 'cli/main.ts', 'instance/main.ts'])(
  '%s loads nothing of a fleet and of NATS where `fleet` is not set',
  (entry) => {
    const loaded = [...loadedWith(resolve(SRC, entry))];
    expect(loaded.length).toBeGreaterThan(10);
    expect(loaded.filter((name) => /^controller\/fleet\/|^@nats-io\//.test(name))).toEqual([]);
  },
);

test('the walk finds NATS where it is loaded', () => {
  const loaded = loadedWith(resolve(SRC, 'controller/fleet/fleet.ts'));
  expect([...loaded]).toContain('@nats-io/kv');
});

import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { FAMILIES } from '../../../src/controller/metrics/metrics.ts';

interface Panel {
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string }[];
}

const file = new URL('../../../docs/grafana-dashboard.json', import.meta.url);
const { panels, annotations } = JSON.parse(await readFile(file, 'utf8')) as {
  panels: Panel[];
  annotations: { list: { expr: string }[] };
};
const queries = [...panels.flatMap(({ targets = [] }) => targets), ...annotations.list];

test('the Grafana dashboard asks only for metrics and labels that there are', () => {
  const known = new Map(
    FAMILIES.flatMap(({ name, type, labels }) => {
      const of = [...labels, 'job'];
      if (type !== 'histogram') return [[name, of] as const];
      return ['_bucket', '_sum', '_count'].map((end) => [name + end, of] as const);
    }),
  );
  for (const { expr } of queries) {
    const names = [...expr.matchAll(/slots_\w+/g)].map(([name]) => name);
    expect(names.length, expr).toBeGreaterThan(0);
    for (const name of names) expect([...known.keys()]).toContain(name);
    const labels = names.flatMap((name) => known.get(name) ?? []);
    const used = [...expr.matchAll(/by \(([^)]+)\)/g)].flatMap(([, list]) => list?.split(', '));
    const matched = [...expr.matchAll(/(\w+)=~?"/g)].map(([, label]) => label);
    for (const label of [...used, ...matched]) expect(labels, expr).toContain(label);
  }
});

test('the Grafana dashboard shows what operators ask for', () => {
  const asked = queries.map(({ expr }) => expr).join('\n');
  for (const { name, type } of FAMILIES) {
    if (
      ['slots_build_info', 'slots_git_pushes_total', 'slots_notifications_total'].includes(name)
    ) {
      continue;
    }
    if (type === 'counter' || type === 'histogram') expect(asked).toContain(name);
  }
});

test('no two panels of the Grafana dashboard lie over each other', () => {
  const taken = new Set<string>();
  for (const { title, gridPos } of panels) {
    expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
    for (let column = gridPos.x; column < gridPos.x + gridPos.w; column++) {
      for (let row = gridPos.y; row < gridPos.y + gridPos.h; row++) {
        expect(taken.has(`${column} ${row}`), title).toBe(false);
        taken.add(`${column} ${row}`);
      }
    }
  }
});

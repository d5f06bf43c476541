import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import {
  type FaultRow,
  median,
  percentile,
  ROWS_FILE,
  readFaults,
  recordFault,
  renderFaults,
} from './table.ts';

const ROW: FaultRow = {
  row: 2,
  fault: 'kill -9 a worker',
  injected: 3,
  requests: 12_345,
  failed: 2,
  allowed: 4,
  editsLost: 0,
  recoveryMs: [300, 100, 900],
};

test('a row that is recorded is read again', async () => {
  const file = join(await tempFolder(), 'rows.jsonl');
  appendFileSync(file, '');
  vi.stubEnv(ROWS_FILE, file);
  recordFault(ROW);
  recordFault({ ...ROW, row: 1 });
  vi.unstubAllEnvs();
  expect(readFaults(file)).toEqual([ROW, { ...ROW, row: 1 }]);
});

test('the table is aligned, in the order of the rows, with the median and the worst recovery', () => {
  const quiet = { ...ROW, row: 1, fault: 'two at once', recoveryMs: [], allowed: undefined };
  const lines = renderFaults([ROW, quiet]).split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[1]).toMatch(/^1 +two at once +3 +12,345 +2 +0 +0 +– +–/);
  expect(lines[2]).toMatch(/^2 +kill -9 a worker +3 +12,345 +2 +4 +0 +300 ms +900 ms/);
  expect(new Set(lines.map((line) => line.search(/12,345|requests/))).size).toBe(1);
});

test('the table shows what the others of a front waited, before and during, and the ratio of each pair', () => {
  const p99 = [
    { before: 10, during: 12 },
    { before: 40, during: 20 },
    { before: 20, during: 30 },
  ];
  expect(renderFaults([{ ...ROW, p99 }])).toMatch(/ 900 ms +20 ms +20 ms +1\.20$/);
  expect(renderFaults([ROW])).toMatch(/ 900 ms +– +– +–$/);
});

test('a percentile is a value that was measured', () => {
  const values = Array.from({ length: 200 }, (_, i) => 200 - i);
  expect(percentile(values, 0.99)).toBe(199);
  expect(percentile([5], 0.99)).toBe(5);
});

test('the median is a time that was measured', () => {
  expect(median([4, 1, 3, 2])).toBe(2);
});

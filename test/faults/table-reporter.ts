import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Reporter } from 'vitest/node';
import { ROWS_FILE, readFaults, renderFaults } from './table.ts';

/** Gives the run a file for its rows and prints the table at the end, if any experiment ran. */
export default class FaultTableReporter implements Reporter {
  readonly #file = join(mkdtempSync(join(tmpdir(), 'slots-faults-')), 'rows.jsonl');

  onInit(): void {
    writeFileSync(this.#file, '');
    process.env[ROWS_FILE] = this.#file;
  }

  onTestRunEnd(): void {
    const rows = readFaults(this.#file);
    if (rows.length > 0) process.stdout.write(`\n${renderFaults(rows)}\n\n`);
    rmSync(dirname(this.#file), { recursive: true, force: true });
  }
}

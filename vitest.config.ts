import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const FAULT_TIMEOUT_MS = process.env.SLOTS_FAULTS === 'full' ? 3_600_000 : 180_000;

export default defineConfig({
  test: {
    reporters: ['default', './test/faults/table-reporter.ts', './test/support/summary-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/e2e/**',
            'test/docs/**',
            'test/faults/**',
            'test/fleet/**',
            'test/frameworks/**',
            'test/fuzz/**',
          ],
          testTimeout: 30_000,
          // Vitest would keep one core for itself, of two as well.
          maxWorkers: Math.max(2, availableParallelism() - 1),
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Real stacks on a real PM2, each with its own ports and PM2_HOME: they wait most of the time.
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/docs/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        // Fleets of several stacks on a real nats-server, cut off, stopped and killed: `npm run test:fleet`.
        test: {
          name: 'fleet',
          include: ['test/fleet/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 5 },
          testTimeout: 300_000,
          hookTimeout: 180_000,
        },
      },
      {
        // Real frameworks from npm, minutes of building: `npm run test:frameworks`, not part of `npm test`.
        test: {
          name: 'frameworks',
          include: ['test/frameworks/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 4 },
          testTimeout: 600_000,
          hookTimeout: 60_000,
        },
      },
      // Real faults, few times each unless SLOTS_FAULTS=full; one after the other, for they measure memory and time.
      {
        test: {
          name: 'quick-faults',
          include: ['test/faults/quick/**/*.test.ts', 'test/fuzz/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          testTimeout: FAULT_TIMEOUT_MS,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          exclude: ['test/faults/quick/**'],
          fileParallelism: false,
          sequence: { groupOrder: 3 },
          testTimeout: FAULT_TIMEOUT_MS,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});

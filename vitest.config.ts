import { defineConfig } from 'vitest/config'

// unit: pure and in-memory, one shared worker pool without isolation, so it stays fast.
// integration: each file may own an engine, a server or child processes; one at a time.
export default defineConfig({
  test: {
    reporters: ['./test/support/summary-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/*.test.ts'],
          exclude: ['src/**/*.it.test.ts'],
          pool: 'threads',
          isolate: false,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['src/**/*.it.test.ts', 'test/e2e/**/*.test.ts', 'test/sim/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})

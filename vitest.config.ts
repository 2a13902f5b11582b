import { defineConfig } from 'vitest/config';

// Real calls, real Postgres, real workers: a few files at a time on two cores, with room for slow machines.
export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts', 'tests/**/*.test.tsx'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default'],
  },
});

import { defineConfig } from 'vitest/config';

// Real calls, real Postgres, real workers: most files wait for people to finish speaking, so three at a time fit on two
// cores; with room for slow machines.
export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts', 'tests/**/*.test.tsx'],
    pool: 'forks',
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default'],
  },
});

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// What `npm start` keeps from one start to the next: test files and the processes they start find modules compiled.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('./node_modules/.cache/compiled', import.meta.url));

// Real calls, real Postgres, real workers: most files wait for people to finish speaking, so three at a time fit on two
// cores; with room for slow machines.
export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts', 'tests/**/*.test.tsx'],
    globalSetup: 'tests/support/run-folder.ts',
    pool: 'forks',
    maxWorkers: 3,
    // What is waited for comes when it comes: a loaded machine is late, and no test gates on a tight time. Only what never
    // comes costs these, so files name longer ones and none that are shorter.
    testTimeout: 120_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 20_000 } },
    reporters: ['default', './tests/support/flaky-reporter.ts'],
  },
});

import type { ChildProcess } from 'node:child_process';

const running = new Set<ChildProcess>();

process.once('exit', () => {
  for (const child of running) child.kill('SIGTERM');
});
// That is how vitest ends the process of a test file; by itself it would end it without `exit`. Scripts see to it themselves.
if (process.env.VITEST) process.once('SIGTERM', () => process.exit(143));

/** A process that is asked to end when this one does: a test that has run out of time leaves nothing running. */
export function endsWithUs<Child extends ChildProcess>(child: Child): Child {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Milliseconds: a duration, or a point on the monotonic clock. */
export type Ms = number;

/** Time as an argument: everything that waits or stamps takes one of these, so tests pass their own. */
export interface Clock {
  /** Monotonic milliseconds, comparable between threads of this process and of this machine. */
  now(): Ms;
  /** Wall clock for records that people read. */
  wall(): Date;
}

/**
 * CLOCK_MONOTONIC in ms. Not performance.now(): its origin differs in every worker thread, and stamps travel
 * between the media workers and the control plane.
 */
export function monotonicNow(): Ms {
  const [s, ns] = process.hrtime();
  return s * 1000 + ns / 1e6;
}

export const systemClock: Clock = { now: monotonicNow, wall: () => new Date() };

/** Turns a monotonic stamp into wall time, for records. */
export function wallTimeOf(clock: Clock, at: Ms): Date {
  return new Date(clock.wall().getTime() - (clock.now() - at));
}

/**
 * `clock` with a wall that nobody sets from now on: what one of these has stamped keeps its order and its lengths when
 * the machine's clock is put right meanwhile.
 */
export function steadyClock(clock: Clock): Clock {
  const offset = clock.wall().getTime() - clock.now();
  return { now: () => clock.now(), wall: () => new Date(Math.round(clock.now() + offset)) };
}

/** Time to re-anchor: the wall clock was set, or has wandered off. */
const STEP_MS = 5;
let wallOffset = performance.timeOrigin + performance.now() - monotonicNow();

/** The wall clock in microseconds since 1970, finer than Date has it; it does not run backwards unless it is set back. */
export function wallMicros(): number {
  const now = monotonicNow();
  const wall = Date.now();
  if (Math.abs(wall - now - wallOffset) > STEP_MS) wallOffset = wall - now;
  return Math.round((now + wallOffset) * 1000);
}

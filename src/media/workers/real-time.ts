import type { Ms } from '../../core/clock.ts';
import { fromLibc } from '../../core/system-calls.ts';

// <sched.h> of Linux.
const SCHED_OTHER = 0;
const SCHED_RR = 2;
/** Threads that this one begins, libuv's or an engine's, are ordinary ones. */
const SCHED_RESET_ON_FORK = 0x4000_0000;
/** The least: before all that is not real-time, behind whatever else is. */
const PRIORITY = 1;
/** Busier than this share of a core for so long, a thread leaves the others too little: code that is being compiled is no reason. */
const TOO_BUSY = 0.85;
const MEASURED_MS = 3000;
/** Below this it may be first again, after a while. */
const AT_EASE = 0.7;
const FAIR_FOR_MS = 10_000;

/** How a thread gets its processor: as soon as it wants it, or in turn with all others, by niceness. */
export type Scheduling = 'realtime' | 'fair';

/** Sets it for a thread (as the system numbers it; 0: the calling one). False where that is not allowed. */
export type SetScheduling = (scheduling: Scheduling, thread?: number) => boolean;

/** By sched_setscheduler(2). Undefined where it is not to be had: another system, or no koffi. */
export function setScheduling(): SetScheduling | undefined {
  try {
    return loadSetScheduling();
  } catch {
    return undefined;
  }
}

function loadSetScheduling(): SetScheduling {
  return fromLibc(({ call }) => {
    const set = call<(thread: number, policy: number, parameter: Uint8Array) => number>(
      'int sched_setscheduler(int, int, void *)',
    );
    return (scheduling, thread = 0) => {
      const [policy, priority] = scheduling === 'realtime' ? [SCHED_RR, PRIORITY] : [SCHED_OTHER, 0];
      return set(thread, policy | SCHED_RESET_ON_FORK, new Uint8Array(Int32Array.of(priority).buffer)) === 0;
    };
  });
}

/**
 * Real time for a thread that is due every 20 ms, as long as it leaves others theirs. At a mere niceness a thread that wakes up
 * waits until whoever runs has had a slice, 3 to 4 ms and more where cores are few; and niceness counts only within a session
 * where the kernel shares by sessions (sched_autogroup, the default of most distributions). But a thread in real time that is
 * always busy would keep the control plane, which can refuse calls, from its core: it has to wait its turn for some seconds.
 */
export class RealTime {
  readonly #set: SetScheduling;
  #scheduling: Scheduling = 'fair';
  #cpuMs: Ms = 0;
  #at: Ms = Number.NEGATIVE_INFINITY;
  #fairUntil: Ms = 0;

  constructor(set: SetScheduling) {
    this.#set = set;
  }

  get scheduling(): Scheduling {
    return this.#scheduling;
  }

  /** False where it is not allowed; then it stays as it is, and `watch` does nothing. */
  begin(): boolean {
    if (!this.#set('realtime')) return false;
    this.#scheduling = 'realtime';
    return true;
  }

  /** Call it about once a second. `cpuMs`: what the thread has had of its processor so far. Says what has changed. */
  watch(now: Ms, cpuMs: Ms): Scheduling | undefined {
    if (now - this.#at < MEASURED_MS) return undefined;
    const share = (cpuMs - this.#cpuMs) / (now - this.#at);
    this.#cpuMs = cpuMs;
    this.#at = now;
    if (this.#scheduling === 'realtime') {
      if (share > TOO_BUSY) {
        this.#fairUntil = now + FAIR_FOR_MS;
        return this.#change('fair');
      }
      // Whoever found the thread too long at work has taken it away (worker-seat.ts).
      this.#set('realtime');
      return undefined;
    }
    return this.#fairUntil > 0 && now >= this.#fairUntil && share < AT_EASE ? this.#change('realtime') : undefined;
  }

  #change(to: Scheduling): Scheduling | undefined {
    if (!this.#set(to)) return undefined;
    this.#scheduling = to;
    return to;
  }
}

/**
 * From now on this thread runs in real time, where that is allowed; otherwise that is said, and it keeps its niceness. What is
 * given back is to be called about once a second.
 */
export function inRealTime(log: (level: 'info' | 'warn', message: string) => void): ((now: Ms) => void) | undefined {
  const set = setScheduling();
  const turn = set && new RealTime(set);
  if (turn === undefined || !turn.begin()) {
    log('info', 'audio has no real-time scheduling: it is not allowed (CAP_SYS_NICE, or an rtprio limit of 1)');
    return undefined;
  }
  return (now) => {
    const { user, system } = process.threadCpuUsage();
    const changed = turn.watch(now, (user + system) / 1000);
    if (changed === 'fair') log('warn', 'the media worker is busy all the time and waits its turn');
    else if (changed === 'realtime') log('info', 'the media worker runs in real time again');
  };
}

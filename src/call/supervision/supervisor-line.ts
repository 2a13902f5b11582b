import { setTimeout as sleep } from 'node:timers/promises';
import type { Timekeeper } from '../../core/alarm.ts';
import { asFailure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Supervisor } from './supervisor.ts';
import { type CodeGuard, type SupervisorCodes, TRIES_PER_CALL } from './supervisor-codes.ts';

export interface SupervisorLineOptions {
  supervisor: Supervisor;
  codes: SupervisorCodes;
  guard: CodeGuard;
  /** Where the call comes from, for the guard; and the trunk as a whole. */
  place: string;
  trunk: string;
  /** For the log, which is the record of who tried. */
  facts: Record<string, unknown>;
  time: Timekeeper;
  log: Logger;
}

/** Without a right code by then the call is ended. */
const CODE_WITHIN_MS = 60_000;
/** Wrong codes that lock a whole trunk, whichever number they seem to come from. */
const TRUNK_TRIES = 30;

/** Answers a supervisor who dials in, and asks for the code. Resolves when they are known, or gone; never rejects. */
export async function answerSupervisor(options: SupervisorLineOptions): Promise<void> {
  const { supervisor, codes, guard, place, trunk, facts, time, log } = options;
  try {
    await supervisor.connect();
  } catch (error) {
    log.warn({ ...facts, reason: asFailure(error).message }, 'a supervisor’s call could not be taken');
    return;
  }
  const { party } = supervisor;
  const late = setTimeout(() => void party.hangup(), CODE_WITHIN_MS);
  party.signal.addEventListener('abort', () => clearTimeout(late), { once: true });
  let wrong = 0;
  let pausing = false;
  supervisor.onCode = (code) => {
    if (pausing) return;
    const name = codes.whose(code);
    if (name !== undefined) {
      clearTimeout(late);
      guard.rightCode(place);
      supervisor.onCode = undefined;
      party.name = name;
      log.info({ ...facts, supervisor: name }, 'a supervisor is on the line');
      supervisor.wait();
      return;
    }
    const { pauseMs, locked } = guard.wrongCode(place, time.now());
    const trunkLocked = guard.wrongCode(trunk, time.now(), TRUNK_TRIES).locked;
    log.warn({ ...facts, locked: locked || trunkLocked }, 'a wrong supervisor code');
    pausing = true;
    const over = ++wrong >= TRIES_PER_CALL || locked || trunkLocked;
    void sleep(pauseMs, undefined, { signal: party.signal }).then(
      () => {
        pausing = false;
        if (over) void party.hangup();
        else supervisor.tell('wrongCode');
      },
      () => undefined,
    );
  };
  supervisor.tell('askCode');
}

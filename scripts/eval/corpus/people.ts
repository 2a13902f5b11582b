import type { Sources } from '../audio/studio.ts';
import type { Caller, ExpectedTransaction, Piece, Room, Step, Tags } from './types.ts';

/** Customers of the demo bank, and who speaks for them. */
export const ALEX = { from: '+15550100', number: '471920', pin: '2580' };
export const JORDAN = { from: '+15550142', number: '830465', pin: '1397' };
/** Nobody the bank knows by number. */
export const STRANGER = '+15559904';

const flite = (voice: string, rate = 1): Caller => ({ engine: 'flite', voice, rate });

/** Every kind of voice this machine has, most telling first. The bot speaks slt. */
export function callers(sources: Sources): Caller[] {
  const espeak: Caller[] = [
    { engine: 'espeak', voice: 'en-us', rate: 1 },
    { engine: 'espeak', voice: 'en-gb', rate: 1 },
  ];
  return [
    flite('rms'),
    flite('awb'),
    flite('slt'),
    flite('kal'),
    flite('rms', 1.2),
    flite('slt', 0.85),
    ...(sources.espeak ? espeak : []),
    flite('awb', 0.85),
    flite('kal', 1.15),
  ];
}

export function describeCaller({ engine, voice, rate }: Caller): Tags {
  return { voice: engine === 'flite' ? voice : `${engine} ${voice}`, rate };
}

export function describeRoom({ noise, lossPercent, echo }: Room): Tags {
  return {
    ...(noise ? { noise: `${noise.kind} ${noise.snrDb} dB` } : {}),
    ...(lossPercent ? { loss: `${lossPercent} %` } : {}),
    ...(echo ? { echo: `-${echo.attenuationDb} dB ${echo.delayMs} ms` } : {}),
  };
}

const DIGITS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

/** A number read digit by digit, as this caller's lines are written. */
export function spoken(caller: Caller, digits: string): string {
  const names = [...digits].map((digit) => (caller.engine === 'human' ? `digits/${digit}` : DIGITS[Number(digit)]!));
  return names.join(' ');
}

/** The number with a pause at each of these places: 471920 at [3] is 471 ... 920. */
export function withPausesAt(caller: Caller, digits: string, places: readonly number[], pauseMs: number): Piece[] {
  const edges = [0, ...places, digits.length];
  return edges.slice(1).flatMap((end, i): Piece[] => {
    const part = spoken(caller, digits.slice(edges[i], end));
    return i === 0 ? [part] : [pauseMs, part];
  });
}

export const posted = (type: string, customerId?: string): ExpectedTransaction => ({
  type,
  outcome: 'POSTED',
  ...(customerId === undefined ? {} : { customerId }),
});

export const greet: Step = { do: 'greet' };

/** The caller identifies with the keypad, before what the section is about. */
export function verifyByKeys({ pin, number }: { pin: string; number: string }): Step[] {
  return [{ do: 'identify', request: 'please verify me', number, pin, spokenPin: false }];
}

/** An answer of some twenty seconds. */
export const LONG_REQUEST = 'what are my last five transactions';

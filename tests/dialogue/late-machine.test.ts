import { describe, expect, it } from 'vitest';
import { LateMachine } from '../../src/dialogue/picking-up/late-machine.ts';

const beep = (at: number) => ({ at, hz: 1000, durationMs: 400 });

describe('who was taken for a person', () => {
  it('is a machine when a beep ends a greeting', () => {
    const late = new LateMachine(0);
    late.speechStart(2000);
    late.speechEnd(5000);
    expect(late.tone(beep(6200))).toBe('beep');
  });

  it('is a machine whose greeting runs into its beep, in several sentences', () => {
    const late = new LateMachine(0);
    late.speechStart(2000);
    late.speechEnd(3100);
    late.speechStart(3500);
    expect(late.tone(beep(4600))).toBe('beep');
  });

  it.each([
    ['hardly a word was said before', [[1000, 1500]], 2000],
    ['what was said is long ago', [[1000, 5000]], 14_000],
    ['no greeting takes so long', [[36_000, 40_500]], 41_000],
  ])('stays one when something beeps and %s', (_why, spells, at) => {
    const late = new LateMachine(0);
    for (const [from, to] of spells) {
      late.speechStart(from!);
      late.speechEnd(to!);
    }
    expect(late.tone(beep(at))).toBeUndefined();
  });
});

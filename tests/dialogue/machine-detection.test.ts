import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Answerer, MachineDetection, MessageMoment } from '../../src/dialogue/picking-up/machine-detection.ts';

interface Spell {
  from: number;
  to: number;
  words?: string;
}

/** Asked every 20 ms, as events come: what it says, and when. */
function answer(spells: readonly Spell[], beepAt?: number): { answerer: Answerer | undefined; at: number } {
  const detection = new MachineDetection(0);
  for (let now = 0; now <= 20_000; now += 20) {
    for (const [index, { from, to, words }] of spells.entries()) {
      if (from > now - 20 && from <= now) detection.speechStart(from);
      if (words !== undefined && now >= from + 800) detection.heard(index, words);
      if (to + 150 > now - 20 && to + 150 <= now) detection.speechEnd(to);
    }
    if (beepAt !== undefined && beepAt > now - 20 && beepAt <= now) {
      detection.tone({ at: beepAt, hz: 1000, durationMs: 400 });
    }
    const answerer = detection.verdict(now);
    if (answerer) return { answerer, at: now };
  }
  return { answerer: undefined, at: 20_000 };
}

describe('who has answered', () => {
  it.each([
    ['"hello?" and silence', [{ from: 400, to: 800 }], 'person', 1500],
    ['"hello, this is John Smith speaking"', [{ from: 300, to: 2100 }], 'person', 3000],
    ['nobody says a word', [], 'person', 3600],
    [
      'it says what machines say',
      [{ from: 900, to: 9000, words: 'please leave a message after the tone' }],
      'machine',
      2100,
    ],
    ['it says something that machines say', [{ from: 900, to: 9000, words: "hi you've reached" }], 'machine', 6200],
    ['it talks on and on', [{ from: 500, to: 9000 }], 'machine', 5800],
    ['a firm with a long greeting waits for an answer', [{ from: 300, to: 4300 }], 'person', 5500],
    ['a firm asks what it can do', [{ from: 300, to: 3600, words: 'how may i help you' }], 'person', 4800],
    [
      'a firm talks on before it asks',
      [{ from: 300, to: 6000, words: 'my name is how may i help you' }],
      'person',
      5600,
    ],
    [
      'a greeting with pauses goes on',
      [
        { from: 300, to: 1900 },
        { from: 2200, to: 4000 },
        { from: 4500, to: 9000 },
      ],
      'machine',
      5700,
    ],
  ] as [string, Spell[], string, number][])('%s', (_what, spells, by, within) => {
    const { answerer, at } = answer(spells);
    expect(answerer?.by).toBe(by);
    expect(at).toBeLessThanOrEqual(within);
  });

  it('is presumed within 3 s of the first speech, whatever is said', () => {
    for (const words of ['', 'hello this is', "hi you've reached"]) {
      const detection = new MachineDetection(0);
      detection.speechStart(500);
      if (words !== '') detection.heard(1, words);
      detection.verdict(3400);
      expect(detection.presumed?.afterMs).toBeLessThanOrEqual(3000);
    }
  });

  /** What somebody who speaks on without a known word is taken for after 3 s, when this was understood in any words. */
  const presumed = (free: string | undefined, at = 2700) => {
    const detection = new MachineDetection(0);
    detection.speechStart(0);
    for (let now = 0; now <= 3000; now += 20) {
      if (free !== undefined && now === at) detection.heardFreely(1, free);
      detection.verdict(now);
    }
    return detection.presumed;
  };

  it.each([
    ['hi you have come to the phone of ada and she cannot get to the phone', 'machine'],
    ['our opening hours are monday to friday from', 'machine'],
    ['the person you have called cannot take', 'machine'],
    ['hello ada speaking what can i do for', 'person'],
    ['sorry who am i speaking to i did not', 'person'],
  ])('is presumed by words that the grammar does not know: "%s" is a %s', (free, by) => {
    expect(presumed(free)).toMatchObject({ by });
  });

  it('is presumed without waiting for them', () => {
    const words = 'our opening hours are monday to friday from';
    const without = presumed(undefined);
    expect(without).toMatchObject({ by: 'person', why: 'long-greeting' });
    expect(presumed(words, 2920)).toEqual(without);
    expect(presumed(words)).toMatchObject({ by: 'machine', why: 'words', afterMs: without?.afterMs });
  });

  it('a beep is a machine, whatever was said', () => {
    expect(answer([{ from: 300, to: 2800 }], 2900).answerer).toMatchObject({
      by: 'machine',
      why: 'tone',
      beepAt: 2900,
    });
  });

  it('is decided by whatever is heard, is decided once, and wakes for it in time', () => {
    const spells = fc.array(fc.tuple(fc.integer({ min: 20, max: 3000 }), fc.integer({ min: 60, max: 6000 })), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(spells, (parts) => {
        let at = 0;
        const made = parts.map(([gap, length]) => {
          const from = at + gap;
          at = from + length;
          return { from, to: at };
        });
        const { answerer, at: decidedAt } = answer(
          made.map((one, i) => ({ ...one, from: one.from + i * 200, to: one.to + i * 200 })),
        );
        expect(answerer).toBeDefined();
        const first = made[0]?.from;
        expect(decidedAt).toBeLessThanOrEqual((first === undefined || first > 3500 ? 3500 : first + 12_000) + 40);
      }),
    );
  });
});

describe('a message is left', () => {
  it('behind the beep, not into the greeting', () => {
    const moment = new MessageMoment(3000, true);
    moment.speechEnd(9000);
    expect(moment.due(9400)).toBeUndefined();
    moment.tone(9900);
    expect(moment.due(10_000)).toBeUndefined();
    expect(moment.deadline()).toBe(10_150);
    expect(moment.due(10_150)).toBe('now');
  });

  it('after a silence where no beep comes, and not in the pauses of the greeting', () => {
    const moment = new MessageMoment(3000, true);
    moment.speechEnd(5000);
    expect(moment.due(7400)).toBeUndefined();
    moment.speechStart();
    expect(moment.due(8000)).toBeUndefined();
    moment.speechEnd(9000);
    expect(moment.due(11_500)).toBe('now');
  });

  it('not on a machine that does not stop', () => {
    const moment = new MessageMoment(3000, true);
    expect(moment.deadline()).toBe(63_000);
    expect(moment.due(63_000)).toBe('late');
  });
});

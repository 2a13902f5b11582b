import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Transcript } from '../../src/dialogue/speaking/voice.ts';
import { type Overheard, Stenographer } from '../../src/dialogue/stenographer.ts';

let lines: Overheard[];
let ended: number;
let stenographer: Stenographer;
beforeEach(() => {
  lines = [];
  ended = 0;
  stenographer = new Stenographer({ endSegment: () => ended++, onOverheard: (line) => lines.push(line) });
});

const final = (segment: number, text: string, more: Partial<Transcript> = {}): Transcript => ({
  segment,
  kind: 'final',
  text,
  confidence: 0.9,
  at: 0,
  ...more,
});
const said = (segment: number, from: number, to: number) => {
  stenographer.speechStart(from, segment);
  stenographer.speechEnd(to, segment);
  stenographer.due(to + 700);
};
const texts = () => lines.map(({ text, lost }) => (lost ? 'lost' : text));

describe('people who speak with each other', () => {
  it('are taken down sentence by sentence, pauses and all', () => {
    stenographer.speechStart(1000, 1);
    stenographer.speechEnd(2000, 1);
    stenographer.due(2600);
    stenographer.speechStart(2650, 1);
    stenographer.speechEnd(3000, 1);
    expect([ended, stenographer.deadline()]).toEqual([0, 3700]);
    stenographer.due(3700);
    expect(ended).toBe(1);
    expect(stenographer.transcript(final(1, 'hello there'))).toBe(true);
    expect(lines).toEqual([{ text: 'hello there', confidence: 0.9, lost: false, startedAt: 1000, endedAt: 3000 }]);
    expect(stenographer.idle).toBe(true);
  });

  it('have every sentence in the transcript once, however late results come and in whatever order', () => {
    const order = fc.shuffledSubarray([1, 2, 3, 4, 5], { minLength: 0 });
    fc.assert(
      fc.property(order, fc.nat({ max: 5 }), (answered, before) => {
        lines = [];
        for (let segment = 1; segment <= 5; segment++) {
          said(segment, segment * 2000, segment * 2000 + 500);
          if (segment === before && answered.includes(segment)) stenographer.transcript(final(segment, `${segment}`));
        }
        for (const segment of answered) stenographer.transcript(final(segment, `${segment}`));
        stenographer.due(700_000);
        expect(stenographer.idle).toBe(true);
        const all = lines.toSorted((a, b) => a.startedAt - b.startedAt);
        expect(all.map(({ startedAt }) => startedAt)).toEqual([2000, 4000, 6000, 8000, 10_000]);
        expect(all.map(({ text }) => text)).toEqual([1, 2, 3, 4, 5].map((n) => (answered.includes(n) ? `${n}` : '')));
        expect(all.map(({ lost }) => lost)).toEqual([1, 2, 3, 4, 5].map((n) => !answered.includes(n)));
      }),
    );
  });

  it('are told apart: what was not understood, and what nobody had time for', () => {
    said(1, 0, 500);
    said(2, 2000, 2500);
    stenographer.transcript(final(1, 'a guess', { rejected: true }));
    stenographer.transcript(final(2, '', { rejected: true, lost: true }));
    expect(lines.map(({ text, lost }) => [text, lost])).toEqual([
      ['', false],
      ['', true],
    ]);
  });

  it('lose what the recogniser had heard when it dies, and nothing that is said later', () => {
    said(1, 0, 500);
    stenographer.speechStart(2000, 2);
    stenographer.lose(2500);
    expect(texts()).toEqual(['lost', 'lost']);
    said(3, 4000, 4500);
    stenographer.transcript(final(3, 'hello'));
    expect(texts()).toEqual(['lost', 'lost', 'hello']);
  });

  it('are not waited for by the hundred', () => {
    for (let segment = 1; segment <= 102; segment++) said(segment, segment * 1000, segment * 1000 + 100);
    expect(texts()).toEqual(['lost', 'lost']);
    expect(stenographer.transcript(final(1, 'late'))).toBe(false);
  });

  it('who speak without a pause are taken down in pieces', () => {
    stenographer.speechStart(0, 1);
    stenographer.due(19_999);
    expect(ended).toBe(0);
    stenographer.due(20_000);
    expect(ended).toBe(1);
    stenographer.speechStart(20_000, 2);
    stenographer.transcript(final(1, 'first'));
    expect(texts()).toEqual(['first']);
    expect(stenographer.release()).toMatchObject({ id: 2, startedAt: 20_000 });
    expect(stenographer.idle).toBe(true);
  });
});

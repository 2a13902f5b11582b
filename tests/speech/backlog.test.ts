import { describe, expect, it } from 'vitest';
import type { ListenMessage } from '../../src/media/ports.ts';
import { Backlog } from '../../src/speech/soundswallower/backlog.ts';
import { LaterListening } from '../../src/speech/soundswallower/later-listening.ts';

const SECOND = 8000;

/** People who speak, and a thread that listens when the test lets it. */
function thread(mostSeconds = 100) {
  const steps: (() => void)[] = [];
  const heard: string[] = [];
  const lost: string[] = [];
  const backlog = new Backlog({ soon: (step) => steps.push(step), mostSamples: mostSeconds * SECOND });
  const speaker = (name: string) => {
    const told: ListenMessage[] = [];
    const later = new LaterListening({
      backlog,
      listening: {
        onMessage: (message) => {
          told.push(message);
          if (message.type === 'segment-end') heard.push(`${name} ${message.segment}`);
        },
      },
      onLost: (segment) => lost.push(`${name} ${segment}`),
    });
    const begin = (segment: number, seconds: number) => {
      later.onMessage({ type: 'segment-start', segment, at: 0 });
      for (let i = 0; i < seconds * 50; i++) {
        later.onMessage({ type: 'audio', segment, at: i * 20, pcm: new Int16Array(160).fill(i) });
      }
    };
    const says = (segment: number, seconds: number) => {
      begin(segment, seconds);
      later.onMessage({ type: 'segment-end', segment, at: seconds * 1000 });
    };
    return { later, told, begin, says };
  };
  const step = () => steps.shift()?.();
  return { backlog, steps, heard, lost, speaker, step };
}

describe('speech that nobody waits for', () => {
  it('is listened to when it is over, one segment at a time, in the order in which they ended', () => {
    const t = thread();
    const [anna, ben] = [t.speaker('anna'), t.speaker('ben')];
    anna.begin(1, 2);
    ben.says(1, 1);
    ben.says(2, 1);
    anna.later.onMessage({ type: 'segment-end', segment: 1, at: 2000 });
    expect(t.steps).toHaveLength(1);
    expect([t.heard, t.backlog.waitingMs]).toEqual([[], 4000]);
    for (const expected of [['ben 1'], ['ben 1', 'ben 2'], ['ben 1', 'ben 2', 'anna 1']]) {
      t.step();
      expect(t.heard).toEqual(expected);
    }
    expect([t.steps.length, t.backlog.waitingMs]).toEqual([0, 0]);
    expect(anna.told.map(({ type }) => type)).toEqual(['segment-start', ...Array(100).fill('audio'), 'segment-end']);
  });

  it('is lost as whole segments, the oldest first, and by name, when more is said than there is time for', () => {
    const t = thread(10);
    const anna = t.speaker('anna');
    for (let segment = 1; segment <= 5; segment++) anna.says(segment, 3);
    expect(t.lost).toEqual(['anna 1', 'anna 2']);
    while (t.steps.length > 0) t.step();
    expect(t.heard).toEqual(['anna 3', 'anna 4', 'anna 5']);
  });

  it('is kept when it alone is longer than there is room for, up to what the recogniser takes', () => {
    const t = thread(10);
    const anna = t.speaker('anna');
    anna.says(1, 40);
    expect(t.lost).toEqual([]);
    t.step();
    expect(t.heard).toEqual(['anna 1']);
    expect(anna.told.filter(({ type }) => type === 'audio')).toHaveLength(30 * 50);
  });

  it('is listened to without the silence behind it, unless something is said there', () => {
    for (const [goesOn, heard] of [
      [false, 1.26],
      [true, 2],
    ] as const) {
      const t = thread();
      const anna = t.speaker('anna');
      anna.later.onMessage({ type: 'segment-start', segment: 1, at: 0 });
      for (let i = 0; i < 100; i++) {
        const loud = i < 50 || (goesOn && i > 80);
        const pcm = new Int16Array(160).fill(loud ? 4000 : 40);
        anna.later.onMessage({ type: 'audio', segment: 1, at: i * 20, pcm });
        if (i === 60) anna.later.onMessage({ type: 'pause', segment: 1, at: 1000 });
      }
      anna.later.onMessage({ type: 'segment-end', segment: 1, at: 2000 });
      t.step();
      expect(anna.told.filter(({ type }) => type === 'audio')).toHaveLength(heard * 50);
      expect(anna.told.at(-1)).toMatchObject({ type: 'segment-end', at: 2000 });
    }
  });

  it('is forgotten with the one who wanted to know, and nobody else’s is', () => {
    const t = thread();
    const [anna, ben] = [t.speaker('anna'), t.speaker('ben')];
    anna.says(1, 1);
    ben.says(1, 1);
    anna.later.close();
    anna.says(2, 1);
    while (t.steps.length > 0) t.step();
    expect([t.heard, t.lost, t.backlog.segments]).toEqual([['ben 1'], [], 0]);
  });

  it('counts as over where the next segment begins, and goes on elsewhere when the stream is left in mid-speech', () => {
    const t = thread();
    const anna = t.speaker('anna');
    anna.begin(1, 1);
    anna.begin(2, 1);
    anna.later.leave();
    while (t.steps.length > 0) t.step();
    expect(t.heard).toEqual(['anna 1']);
  });
});

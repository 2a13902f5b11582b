import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PlayoutQueue } from '../../src/media/outbound/playout-queue.ts';
import { tone } from './support.ts';

const FRAME = 160;

function chunk(ms: number, ...words: [text: string, startMs: number, endMs: number][]) {
  return {
    pcm: tone(ms * 8, 400),
    words: words.map(([text, startMs, endMs]) => ({ text, startMs, endMs })),
  };
}

function pullFrames(queue: PlayoutQueue, frames: number, from = 0): number {
  const out = new Int16Array(FRAME);
  let samples = 0;
  for (let i = 0; i < frames; i++) samples += queue.pull(out, from + i * 20).samples;
  return samples;
}

describe('what the caller hears', () => {
  test('a word counts as heard when half of it was sent', () => {
    const queue = new PlayoutQueue();
    queue.begin(1);
    queue.write(1, chunk(600, ['your', 0, 200], ['card', 200, 600]));
    pullFrames(queue, 19);
    expect(queue.heard(1).text).toBe('your');
    pullFrames(queue, 1);
    expect(queue.heard(1)).toMatchObject({ text: 'your card', playedMs: 400, complete: false });
  });

  test('times of words count from their chunk', () => {
    const queue = new PlayoutQueue();
    queue.begin(1);
    queue.write(1, chunk(100, ['one', 0, 100]));
    queue.write(1, chunk(100, ['two', 0, 100]));
    pullFrames(queue, 5);
    expect(queue.heard(1).text).toBe('one');
    queue.finish(1);
    pullFrames(queue, 5);
    expect(queue.heard(1)).toMatchObject({ text: 'one two', complete: true, firstSentAt: 0 });
    expect(queue.drained).toBe(true);
  });

  test('the last sound is stamped, not the silence between sentences; the end that fades out is one', () => {
    const queue = new PlayoutQueue();
    queue.begin(1);
    queue.write(1, { pcm: new Int16Array(2 * FRAME), words: [] });
    queue.write(1, chunk(40));
    queue.write(1, { pcm: new Int16Array(2 * FRAME), words: [] });
    pullFrames(queue, 2);
    expect(queue.heard(1).lastSoundAt).toBeUndefined();
    pullFrames(queue, 4, 40);
    expect(queue.heard(1)).toMatchObject({ lastSoundAt: 60, lastSentAt: 100 });
    queue.faded(120);
    expect(queue.cut(1)).toMatchObject({ lastSoundAt: 120, lastSentAt: 100 });
  });

  test('a pause keeps the place to the sample, a cut drops the rest', () => {
    const queue = new PlayoutQueue();
    const { pcm, words } = chunk(200, ['hello', 0, 200]);
    queue.begin(1);
    queue.write(1, { pcm, words });
    const out = new Int16Array(FRAME);
    queue.pull(out, 0);
    queue.pause();
    expect(queue.playing).toBe(false);
    expect(queue.pull(out, 20).samples).toBe(0);
    queue.resume(1);
    queue.pull(out, 40);
    expect([...out]).toEqual([...pcm.subarray(FRAME, 2 * FRAME)]);
    expect(queue.cut(1)).toMatchObject({ playedMs: 40, complete: false });
    expect(queue.pull(out, 60).samples).toBe(0);
    expect(queue.cut(1).playedMs).toBe(40);
  });

  test('a later turn silences the one before, and an earlier one cannot come back', () => {
    const queue = new PlayoutQueue();
    queue.begin(1);
    queue.write(1, chunk(100));
    queue.begin(2);
    expect(queue.write(1, chunk(100))).toBe('stale');
    expect(queue.queuedMs).toBe(0);
    expect(queue.begin(1)).toBe(false);
    expect(queue.current).toBe(2);
    queue.cut(2);
    expect(queue.begin(2)).toBe(false);
    expect(queue.begin(3)).toBe(true);
  });

  test('a writer is asked to wait when ten seconds are ahead, and refused when it does not', () => {
    const queue = new PlayoutQueue();
    queue.begin(1);
    expect(queue.write(1, chunk(10_000))).toBe('room');
    expect(queue.write(1, chunk(20))).toBe('wait');
    for (let i = 0; i < 11; i++) expect(queue.write(1, chunk(10_000))).toBe('wait');
    expect(queue.write(1, chunk(10_000))).toBe('full');
  });

  test('leading silence is not the start of sound', () => {
    const queue = new PlayoutQueue();
    queue.begin(1);
    queue.write(1, { pcm: new Int16Array(FRAME), words: [] });
    queue.write(1, chunk(40));
    const out = new Int16Array(FRAME);
    expect([0, 20, 40].map((now) => queue.pull(out, now).sound)).toEqual([false, true, false]);
  });

  test('a gap between two sentences of a turn still counts as the bot speaking', () => {
    const queue = new PlayoutQueue();
    queue.begin(1);
    expect(queue.playing).toBe(false);
    queue.write(1, chunk(20));
    pullFrames(queue, 3);
    expect(queue.playing).toBe(true);
    queue.finish(1);
    expect(queue.playing).toBe(false);
  });

  test('in any order of commands: never more heard than written, each sample once and in order, no stale sound', () => {
    const command = fc.oneof(
      fc.record({ kind: fc.constant('begin' as const), turn: fc.integer({ min: 1, max: 6 }) }),
      fc.record({
        kind: fc.constant('write' as const),
        turn: fc.integer({ min: 1, max: 6 }),
        samples: fc.integer({ min: 0, max: 900 }),
      }),
      fc.record({ kind: fc.constant('pull' as const), frames: fc.integer({ min: 1, max: 8 }) }),
      fc.record({
        kind: fc.constantFrom('finish' as const, 'cut' as const, 'resume' as const),
        turn: fc.integer({ min: 1, max: 6 }),
      }),
      fc.record({ kind: fc.constant('pause' as const) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const queue = new PlayoutQueue();
        const written = new Map<number, number[]>();
        const sent = new Map<number, number[]>();
        const out = new Int16Array(FRAME);
        let value = 0;
        for (const step of commands) {
          if (step.kind === 'begin') queue.begin(step.turn);
          else if (step.kind === 'pause') queue.pause();
          else if (step.kind === 'pull') {
            for (let i = 0; i < step.frames; i++) {
              const turn = queue.current;
              const { samples } = queue.pull(out, i);
              if (samples > 0) sent.set(turn!, [...(sent.get(turn!) ?? []), ...out.subarray(0, samples)]);
              expect([...out.subarray(samples)].every((s) => samples === 0 || s === 0)).toBe(true);
            }
          } else if (step.kind === 'write') {
            const pcm = Int16Array.from({ length: step.samples }, () => (value = (value % 30_000) + 1));
            const taken = queue.write(step.turn, {
              pcm,
              words: [{ text: `w${step.turn}`, startMs: 0, endMs: pcm.length / 8 }],
            });
            if (step.turn !== queue.current) expect(taken).toBe('stale');
            if (taken !== 'stale') written.set(step.turn, [...(written.get(step.turn) ?? []), ...pcm]);
          } else queue[step.kind](step.turn);
        }
        for (const [turn, samples] of sent) {
          expect(samples).toEqual(written.get(turn)!.slice(0, samples.length));
          const heard = queue.heard(turn);
          for (const word of heard.text.split(' ').filter(Boolean)) expect(word).toBe(`w${turn}`);
        }
      }),
      { numRuns: 300 },
    );
  });
});

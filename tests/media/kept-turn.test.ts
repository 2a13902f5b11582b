import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeptTurn } from '../../src/media/outbound/kept-turn.ts';
import { PlayoutQueue } from '../../src/media/outbound/playout-queue.ts';
import type { SpokenChunk } from '../../src/media/ports.ts';
import { Continuity } from '../../src/media/workers/continuity.ts';

const TURN = 3;

/** A chunk of words one behind the other, the last with a rest behind it; every sample tells where it belongs. */
function chunkOf(wordMs: readonly number[], restMs: number, firstSample: number, firstWord: number): SpokenChunk {
  let at = 0;
  const words = wordMs.map((ms, i) => {
    const word = { text: `w${firstWord + i}`, startMs: at, endMs: at + ms };
    at += ms;
    return word;
  });
  const pcm = Int16Array.from({ length: (at + restMs) * 8 }, (_, i) => ((firstSample + i) % 30_000) + 1);
  return { pcm, words };
}

const speech = fc.array(
  fc.record({
    wordMs: fc.array(fc.integer({ min: 20, max: 700 }), { minLength: 1, maxLength: 4 }),
    restMs: fc.integer({ min: 0, max: 300 }),
  }),
  { minLength: 1, maxLength: 5 },
);

function written(parts: readonly { wordMs: readonly number[]; restMs: number }[]) {
  const continuity = new Continuity();
  const kept = new KeptTurn(TURN);
  const chunks: SpokenChunk[] = [];
  let [samples, words] = [0, 0];
  for (const { wordMs, restMs } of parts) {
    const chunk = chunkOf(wordMs, restMs, samples, words);
    chunks.push(chunk);
    samples += chunk.pcm.length;
    words += wordMs.length;
  }
  return { continuity, kept, chunks, samples, words };
}

describe('the turn that is kept for another worker', () => {
  test('goes on, whenever the worker dies, from the word that was being said, and nothing is left out', () => {
    fc.assert(
      fc.property(speech, fc.double({ min: 0, max: 1, noNaN: true }), (parts, share) => {
        const { continuity, kept, chunks, samples, words } = written(parts);
        const sent = Math.floor(share * samples);
        // Half of what is sent is sent before the last chunk is written.
        for (const [i, chunk] of chunks.entries()) {
          if (i === chunks.length - 1) continuity.turn(TURN, Math.min(sent, samples - chunk.pcm.length), 1, 2);
          kept.add(chunk, continuity);
        }
        continuity.turn(TURN, sent, 1, 2);
        kept.finished = true;
        const restored = kept.restored(continuity);
        expect(restored.sent).toBeLessThanOrEqual(sent);
        expect(sent - restored.sent).toBeLessThan(8000);
        const queue = new PlayoutQueue();
        queue.restore(restored);
        const frame = new Int16Array(160);
        let at = restored.sent;
        for (let pulled = queue.pull(frame, 5); pulled.samples > 0; pulled = queue.pull(frame, 5)) {
          for (let i = 0; i < pulled.samples; i++, at++)
            if (frame[i] !== (at % 30_000) + 1) expect.fail(`sample ${at}`);
        }
        expect(at).toBe(samples);
        const heard = queue.heard(TURN);
        expect(heard).toMatchObject({ complete: true, playedMs: samples / 8 });
        expect(heard.text.split(' ')).toHaveLength(words);
      }),
      { numRuns: 300 },
    );
  });

  test('accounts for what the caller heard as the queue itself would have', () => {
    fc.assert(
      fc.property(speech, fc.double({ min: 0, max: 1, noNaN: true }), (parts, share) => {
        const { continuity, kept, chunks, samples } = written(parts);
        const queue = new PlayoutQueue();
        queue.begin(TURN);
        for (const chunk of chunks) {
          queue.write(TURN, chunk);
          kept.add(chunk, continuity);
        }
        const frame = new Int16Array(160);
        for (let sent = 0; sent + 160 <= share * samples; sent += 160) queue.pull(frame, 7);
        const { sent, firstSentAt, lastSentAt } = queue.account!;
        continuity.turn(TURN, sent, firstSentAt, lastSentAt);
        // When the last sound was is not kept: the last frame stands for it.
        const { lastSoundAt: _, ...account } = kept.heard(continuity);
        expect(queue.heard(TURN)).toMatchObject(account);
      }),
      { numRuns: 300 },
    );
  });
});

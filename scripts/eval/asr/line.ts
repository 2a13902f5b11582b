import { PCMU } from '../../../src/media/codecs/g711.ts';
import { Concealment } from '../../../src/media/inbound/concealment.ts';
import { createImpairer } from '../../../tests/support/phone/impairments.ts';
import { clip, voicedSpan } from '../audio/levels.ts';
import { whiteNoise } from '../audio/noise.ts';

const PER_MS = 8;
const PACKET = 20 * PER_MS;
/** As the media worker cuts a segment: pre-roll, and the silence that ends a whole sentence. */
const BEFORE_MS = 300;
const AFTER_MS = 240;
/** A quiet telephone line. */
const LINE_DBFS = -66;

/**
 * The segment of speech that the recogniser gets: what was said, in the room with its noise (`noise` has its level
 * already), through G.711 and packet loss with concealment, cut where an ideal VAD would cut it.
 */
export function overTheLine(
  speech: Int16Array,
  noise: Int16Array | undefined,
  lossPercent: number,
  seed: number,
): Int16Array {
  const { from, to } = voicedSpan(speech) ?? { from: 0, to: speech.length };
  const length = Math.ceil((to - from + (BEFORE_MS + AFTER_MS) * PER_MS) / PACKET) * PACKET;
  const cut = Int16Array.from({ length }, (_, i) => speech[from + i - BEFORE_MS * PER_MS] ?? 0);
  return received(cut, noise, lossPercent, seed);
}

/** What arrives of `speech`: with the noise of its room and the line's, through G.711 and packet loss with concealment. */
export function received(
  speech: Int16Array,
  noise: Int16Array | undefined,
  lossPercent: number,
  seed: number,
): Int16Array {
  const line = whiteNoise(speech.length / 8000, LINE_DBFS, seed);
  const start = (seed * 7919) % Math.max(1, noise?.length ?? 1);
  for (let i = 0; i < line.length; i++) {
    const sum = line[i]! + speech[i]! + (noise ? noise[(start + i) % noise.length]! : 0);
    line[i] = PCMU.toLinear[PCMU.fromLinear[clip(sum) & 0xffff]!]!;
  }
  if (lossPercent > 0) loseAndConceal(line, lossPercent, seed);
  return line;
}

function loseAndConceal(pcm: Int16Array, lossPercent: number, seed: number): void {
  const fate = createImpairer({ lossPercent, seed });
  const concealment = new Concealment();
  for (let at = 0; at + PACKET <= pcm.length; at += PACKET) {
    if (fate().delaysMs.length === 0) concealment.conceal(pcm, at, PACKET);
    else concealment.good(pcm, at, PACKET);
  }
}

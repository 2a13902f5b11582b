/**
 * Speaking rate: time-stretching without a change of pitch by waveform similarity overlap-add (Verhelst and Roelands,
 * "An overlap-add technique based on waveform similarity", ICASSP 1993). 8 kHz.
 */

const FRAME = 240; // 30 ms
const HOP = FRAME / 2;
const SEEK = 80; // +-10 ms

/** `rate` 1.25: a quarter faster. 1 returns the audio as it is. */
export function atRate(pcm: Int16Array, rate: number): Int16Array {
  if (rate === 1 || pcm.length < 4 * FRAME) return pcm;
  const length = Math.floor(pcm.length / rate);
  const out = new Float64Array(length + FRAME);
  let from = 0;
  for (let to = 0; to + FRAME <= length; to += HOP) {
    const wanted = Math.round(to * rate);
    from = to === 0 ? 0 : bestMatch(pcm, from + HOP, wanted);
    for (let i = 0; i < FRAME; i++) out[to + i] = out[to + i]! + WINDOW[i]! * (pcm[from + i] ?? 0);
  }
  return Int16Array.from(out.subarray(0, length), (value) => Math.max(-32768, Math.min(32767, Math.round(value))));
}

/** Periodic Hann: overlapping halves add up to one. */
const WINDOW = Float64Array.from({ length: FRAME }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / FRAME));

/** Where near `wanted` the audio goes on most like it would have gone on at `natural`. */
function bestMatch(pcm: Int16Array, natural: number, wanted: number): number {
  let best = wanted;
  let most = Number.NEGATIVE_INFINITY;
  for (let at = Math.max(0, wanted - SEEK); at <= wanted + SEEK; at++) {
    let product = 0;
    let power = 1;
    for (let i = 0; i < HOP; i += 2) {
      const sample = pcm[at + i] ?? 0;
      product += sample * (pcm[natural + i] ?? 0);
      power += sample * sample;
    }
    const likeness = product / Math.sqrt(power);
    if (likeness > most) {
      most = likeness;
      best = at;
    }
  }
  return best;
}

import { PCMU } from '../../src/media/codecs/g711.ts';
import { levelDb } from '../../src/media/level.ts';

/** Direct sound and reflections of a small room: [delay in samples of 8 kHz, gain]. */
const REFLECTIONS = [
  [0, 1],
  [37, 0.4],
  [96, 0.25],
  [211, 0.12],
  [400, 0.06],
] as const;

/** What a loudspeaker's sound is when it comes back: late, weaker by `attenuationDb`, with the room around it. */
export function echoOf(sent: Int16Array, delayMs: number, attenuationDb: number): Float64Array {
  const delay = Math.round(delayMs * 8);
  const back = new Float64Array(sent.length + delay + 800);
  for (const [late, share] of REFLECTIONS) {
    const gain = share * 10 ** (-attenuationDb / 20);
    for (let i = 0; i < sent.length; i++) back[i + delay + late]! += gain * sent[i]!;
  }
  return back;
}

/** Adds up what a microphone hears, and sends it through mu-law. */
export function microphone(...sounds: ArrayLike<number>[]): Int16Array {
  const length = Math.max(...sounds.map((sound) => sound.length));
  return Int16Array.from({ length }, (_, i) => {
    const sum = sounds.reduce((total, sound) => total + (sound[i] ?? 0), 0);
    return PCMU.toLinear[PCMU.fromLinear[Math.max(-32768, Math.min(32767, Math.round(sum))) & 0xffff]!]!;
  });
}

/** A generator of its own for each test, so that none depends on the order of the others. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function whiteNoise(samples: number, db: number, seed = 1): Float64Array {
  const next = random(seed);
  const amplitude = 32768 * 10 ** (db / 20) * Math.sqrt(3);
  return Float64Array.from({ length: samples }, () => (2 * next() - 1) * amplitude);
}

/**
 * Like speech: syllables of 120 to 300 ms with a gliding pitch and three formants, a consonant of noise in front of
 * some, gaps between; at `db` while it sounds.
 */
export function babble(ms: number, seed: number, pitchHz: number, db: number): Int16Array {
  const next = random(seed);
  const out = new Float64Array(ms * 8);
  for (let at = 0; at < out.length; ) {
    const length = Math.round((120 + 180 * next()) * 8);
    const formants = [300 + 500 * next(), 900 + 1300 * next(), 2300 + 700 * next()];
    const pitch = pitchHz * (0.85 + 0.3 * next());
    const glide = 0.3 * (next() - 0.5);
    let phase = 0;
    for (let i = 0; i < length && at + i < out.length; i++) {
      phase += (pitch * (1 + (glide * i) / length)) / 8000;
      const envelope = Math.sin((Math.PI * i) / length) ** 0.6;
      let sum = 0.02 * (next() - 0.5);
      for (let h = 1; h * pitch < 3600; h++) {
        const hz = h * pitch;
        const gain = formants.reduce((g, f) => g + 1 / (1 + ((hz - f) / 120) ** 2), 0.01);
        sum += (gain / h ** 0.5) * Math.sin(2 * Math.PI * h * phase + h);
      }
      out[at + i] = envelope * sum;
    }
    at += length + Math.round((next() < 0.25 ? 250 * next() : 40 * next()) * 8);
  }
  return toLevel(
    Int16Array.from(out, (v) => 3000 * v),
    db,
  );
}

/** Scales so that the sounding frames have `db` on average. */
export function toLevel(pcm: Int16Array, db: number): Int16Array {
  const levels: number[] = [];
  for (let i = 0; i + 160 <= pcm.length; i += 160) levels.push(levelDb(pcm, i, 160));
  const loudest = Math.max(...levels);
  const powers = levels.filter((level) => level > loudest - 25).map((level) => 10 ** (level / 10));
  const active = 10 * Math.log10(powers.reduce((sum, power) => sum + power, 0) / powers.length);
  const gain = 10 ** ((db - active) / 20);
  return pcm.map((sample) => Math.max(-32768, Math.min(32767, Math.round(sample * gain))));
}

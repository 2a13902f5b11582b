import { FRAME_SAMPLES, type Pcm } from '../../media/audio.ts';
import { Dither } from '../noise/dither.ts';
import type { GrammarDecoder, Manner } from './decoder.ts';
import type { Guess } from './verdict.ts';

/** RMS of the loud moments, dBFS: what is louder than a voice on the telephone ever is by itself ... */
const SHOUT_DBFS = -15;
/** ... is turned down to what it usually is. */
const USUAL_DBFS = -20;
/** Samples of the moments that are loud or not. */
const MOMENT = 80;

/**
 * A shout at the level of speech, 8 kHz; undefined when `pcm` is none. The decoder normalises by how the caller spoke
 * before, and a lone "no" is over before it has learnt that somebody shouts. `loud`: as of Utterance.
 */
export function turnedDown(pcm: Pcm, loud: readonly boolean[]): Pcm | undefined {
  let power = 0;
  let samples = 0;
  for (const [i, sample] of pcm.entries()) {
    if (loud[Math.floor(i / MOMENT)] !== true) continue;
    power += sample * sample;
    samples++;
  }
  const dbfs = 10 * Math.log10(power / Math.max(1, samples) / 32768 ** 2 + 1e-12);
  if (dbfs < SHOUT_DBFS) return undefined;
  const gain = 10 ** ((USUAL_DBFS - dbfs) / 20);
  return new Dither().over(pcm.map((sample) => Math.round(sample * gain)));
}

/** What the decoder makes of it, given `manner` as it was before the shout. In frames, as it came: its mean follows. */
export function heardAgain(decoder: GrammarDecoder, pcm: Pcm, manner: Manner): Guess {
  decoder.start(manner);
  for (let at = 0; at < pcm.length; at += FRAME_SAMPLES) decoder.write(pcm.subarray(at, at + FRAME_SAMPLES));
  return decoder.finish();
}

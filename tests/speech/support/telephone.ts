import { execFileSync } from 'node:child_process';
import { mulaw } from 'alawmulaw';
import { silentLogger } from '../../../src/core/log.ts';
import { FliteSynthesizer } from '../../../src/speech/flite/flite-synthesizer.ts';
import type { FliteVoice } from '../../../src/speech/flite/voices.ts';
import { espeakAudio } from '../../support/phone/wav.ts';

/** A caller of ours: flite in one of its voices, heard through a telephone line (mu-law, a little noise). */
export class Caller {
  readonly #voice: FliteSynthesizer;

  private constructor(voice: FliteSynthesizer) {
    this.#voice = voice;
  }

  static async start(voice: FliteVoice): Promise<Caller> {
    return new Caller(await FliteSynthesizer.start({ workers: 1, voice, log: silentLogger }));
  }

  /** What arrives of a sentence: 0.3 s of line noise, the speech, 0.15 s of line noise. */
  async says(text: string): Promise<Int16Array> {
    const chunks: Int16Array[] = [];
    for await (const { pcm } of this.#voice.speak(text, new AbortController().signal)) chunks.push(pcm);
    return overTheLine([lineNoise(300), ...chunks, lineNoise(150)]);
  }

  close(): Promise<void> {
    return this.#voice.close();
  }
}

/** Spoken by another engine, which sends zeros where there is no sound. */
export function espeak(text: string, voice = 'en-us'): Int16Array {
  return espeakAudio(execFileSync('espeak-ng', ['-v', voice, '-s', '160', '--stdout', text]));
}

export function overTheLine(parts: readonly Int16Array[]): Int16Array {
  const joined = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return mulaw.decode(mulaw.encode(joined));
}

/** Noise of one seed, the same in every run. */
export function lineNoise(ms: number, amplitude = 12): Int16Array {
  let seed = 12345;
  return Int16Array.from({ length: ms * 8 }, () => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return (seed / 0x40000000 - 1) * amplitude;
  });
}

/** A chord that swells and fades, as music on hold does. */
export function music(ms: number): Int16Array {
  return Int16Array.from({ length: ms * 8 }, (_, i) => {
    const t = i / 8000;
    const swell = 0.5 + 0.5 * Math.sin(t * 9);
    return 3000 * swell * [220, 277, 330, 440].reduce((sum, f) => sum + Math.sin(2 * Math.PI * f * t), 0);
  });
}

/** Speech in a room with white noise `snrDb` below it, with the room alone for 0.3 s before and 0.2 s after. */
export function inNoise(speech: Int16Array, snrDb: number): Int16Array {
  const loud = speech.filter((sample) => Math.abs(sample) > 300);
  const rms = Math.sqrt(loud.reduce((sum, sample) => sum + sample ** 2, 0) / Math.max(1, loud.length));
  // uniform noise: its peak is its RMS times the square root of three
  const room = lineNoise(speech.length / 8 + 500, (rms / 10 ** (snrDb / 20)) * Math.sqrt(3));
  speech.forEach((sample, i) => {
    room[i + 2400] = Math.max(-32768, Math.min(32767, room[i + 2400]! + sample));
  });
  return overTheLine([room]);
}

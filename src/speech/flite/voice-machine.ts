import { spokenForm } from '../../sentences/spoken-form.ts';
import { amplify, decimateByTwo } from './decimate.ts';
import type { KeptRuns } from './kept-runs.ts';
import { respell, respellPiece } from './pronounceable.ts';
import { type FliteVoice, VOICES } from './voices.ts';
import { OUTPUT_DIRECTORY, type ProgramRun, type WasiProgram } from './wasi-program.ts';
import { alignWords, PAUSE, type Phone, parsePhoneGroups, parsePhones } from './word-timing.ts';

export interface SpeechJob {
  /** One piece of text as splitClauses makes them. */
  text: string;
  voice: FliteVoice;
  /** 1 is the voice's own pace, 1.2 a fifth faster. */
  speed: number;
  /** Silence kept behind the last word, ms. */
  restMs: number;
  /** The same words at every start: kept from one to the next. Not for what is said to a customer by name. */
  lasting?: boolean | undefined;
}

export interface SpokenPiece {
  pcm: Int16Array;
  words: { text: string; startMs: number; endMs: number }[];
}

const RATE = 8000;
/** Looked at before the first phone, whose beginning is not known to the millisecond. */
const LEAD_SECONDS = 0.015;
/** What is fainter is not heard on a telephone: the closure of a "p", the breath of "thank you", up to 70 ms. -55 dBFS. */
const AUDIBLE = 58;
const AUDIBLE_WINDOW = 40;
/** Kept in front of the first sound. */
const BEFORE_SOUND = 80;
/** Fades at the cuts, so that nothing clicks. */
const FADE_SAMPLES = 24;
/** Phones of words in one voice do not change, so every word is asked for once. */
const LEXICON_LIMIT = 20_000;

/** flite behind one function: text in, 8 kHz speech with the time of every word out. Blocking; lives in a worker. */
export class VoiceMachine {
  readonly #flite: WasiProgram;
  readonly #kept: KeptRuns | undefined;
  readonly #lexicon = new Map<string, readonly string[]>();

  constructor(flite: WasiProgram, kept?: KeptRuns) {
    this.#flite = flite;
    this.#kept = kept;
  }

  /** Throws when flite fails; its words are exactly the words of the text. */
  speak(job: SpeechJob): SpokenPiece {
    const words = job.text.split(/\s+/).filter((word) => word !== '');
    // The words that come out are the words that went in: what is said of each stays with it.
    const said = spokenForm(words);
    const spelled = said.map(respell);
    const text = respellPiece(said);
    if (text === '')
      return { pcm: new Int16Array(0), words: words.map((word) => ({ text: word, startMs: 0, endMs: 0 })) };
    const kept = job.lasting ? this.#kept : undefined;
    const args = ['-psdur', '-t', text, '-o', `${OUTPUT_DIRECTORY}/a.wav`];
    const { stdout, file } = this.#run(job.voice, job.speed, args, kept);
    const phones = parsePhones(stdout);
    const speech = readWav(file);
    const { gain } = VOICES[job.voice];
    const pcm = speech.rate === RATE ? amplify(speech.pcm, gain) : decimateByTwo(speech.pcm, gain);
    const voiced = voicedPart(phones, pcm.length / RATE);
    const { to } = voiced;
    const from = audibleFrom(pcm, voiced);
    const expected = this.#phonesOf(job.voice, spelled, kept);
    const times = alignWords(phones, expected);
    return {
      pcm: cutOut(pcm, from, to, job.restMs),
      words: words.map((word, index) => {
        const [start, end] = times[index]!;
        return { text: word, startMs: ms(start - from), endMs: ms(Math.min(end, to) - from) };
      }),
    };
  }

  /** To be called when there is time: makes the next `speak` faster. */
  prepare(): void {
    this.#flite.prepare();
  }

  /** The phones of each word said alone, from flite itself at twenty times the pace: 1 ms a word, once. */
  #phonesOf(voice: FliteVoice, words: readonly string[], kept: KeptRuns | undefined): (readonly string[])[] {
    const unknown = [...new Set(words)].filter((word) => word !== '' && !this.#lexicon.has(`${voice} ${word}`));
    if (this.#lexicon.size + unknown.length > LEXICON_LIMIT) this.#lexicon.clear();
    const groups = unknown.length === 0 ? [] : this.#spellOut(voice, unknown.join(', '), kept);
    unknown.forEach((word, index) => {
      // when the voice ran words together or divided one, ask for them one by one
      const phones = groups.length === unknown.length ? groups[index]! : this.#spellOut(voice, word, kept).flat();
      this.#lexicon.set(`${voice} ${word}`, phones);
    });
    return words.map((word) => (word === '' ? [] : (this.#lexicon.get(`${voice} ${word}`) ?? [])));
  }

  #spellOut(voice: FliteVoice, text: string, kept: KeptRuns | undefined): string[][] {
    return parsePhoneGroups(this.#run(voice, 20, ['-ps', '-t', `${text},`, '-o', 'none'], kept).stdout);
  }

  #run(voice: FliteVoice, speed: number, args: readonly string[], kept: KeptRuns | undefined): ProgramRun {
    const stretch = (1 / speed).toFixed(3);
    const all = ['-voice', VOICES[voice].name, '--setf', `duration_stretch=${stretch}`, ...args];
    const before = kept?.get(all);
    if (before !== undefined) return before;
    const result = this.#flite.run(all);
    if (result.exitCode !== 0) throw new Error(`flite ended with code ${result.exitCode}`);
    kept?.put(all, result);
    return result;
  }
}

/** From just before the first phone to the end of the last one. */
function voicedPart(phones: readonly Phone[], seconds: number): { from: number; to: number } {
  const voiced = phones.filter((phone) => phone.name !== PAUSE);
  const from = Math.max(0, (voiced[0]?.start ?? 0) - LEAD_SECONDS);
  return { from, to: Math.min(seconds, voiced.at(-1)?.end ?? seconds) };
}

/** Nobody waits for what nobody hears: seconds. */
function audibleFrom(pcm: Int16Array, { from, to }: { from: number; to: number }): number {
  const [first, last] = [Math.round(from * RATE), Math.round(to * RATE)];
  for (let at = first; at + AUDIBLE_WINDOW <= last; at += AUDIBLE_WINDOW) {
    let sum = 0;
    for (let i = at; i < at + AUDIBLE_WINDOW; i++) sum += pcm[i]! ** 2;
    if (sum >= AUDIBLE_WINDOW * AUDIBLE ** 2) return Math.max(first, at - BEFORE_SOUND) / RATE;
  }
  return from;
}

function cutOut(pcm: Int16Array, from: number, to: number, restMs: number): Int16Array {
  const first = Math.round(from * RATE);
  // a little of the voice's own decay is kept within the rest
  const last = Math.min(pcm.length, Math.round(to * RATE) + Math.round(Math.min(restMs, 40) * (RATE / 1000)));
  const length = Math.round((to - from) * RATE) + Math.round((restMs * RATE) / 1000);
  const out = new Int16Array(Math.max(length, last - first));
  out.set(pcm.subarray(first, last));
  for (let i = 0; i < FADE_SAMPLES; i++) {
    const weight = i / FADE_SAMPLES;
    if (i < out.length) out[i] = out[i]! * weight;
    const tail = last - first - 1 - i;
    if (tail >= 0) out[tail] = out[tail]! * weight;
  }
  return out;
}

/** RIFF WAVE, 16 bit mono, as flite writes it (a 44-byte header). */
function readWav(file: Uint8Array): { pcm: Int16Array; rate: number } {
  if (file.length < 44) throw new Error('flite wrote no audio');
  const header = new DataView(file.buffer, file.byteOffset, 44);
  const body = file.slice(44, 44 + ((file.length - 44) & ~1));
  return { pcm: new Int16Array(body.buffer), rate: header.getUint32(24, true) };
}

function ms(seconds: number): number {
  return Math.max(0, Math.round(seconds * 1000));
}

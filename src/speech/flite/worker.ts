import '../../core/ends-when-asked.ts';
import { parentPort, workerData } from 'node:worker_threads';
import { firstLine } from '../first-line.ts';
import { KeptRuns } from './kept-runs.ts';
import { type SpeechJob, VoiceMachine } from './voice-machine.ts';
import type { FliteVoice } from './voices.ts';
import { WasiProgram } from './wasi-program.ts';

export interface WorkerSettings {
  module: WebAssembly.Module;
  voice: FliteVoice;
  /** Where what was made of lasting words is kept, and by what program; undefined: nowhere. */
  kept: { folder: string; program: string } | undefined;
}

/** The thread in which flite speaks; see JobPool for the protocol. */
const { module, voice, kept } = workerData as WorkerSettings;
const port = parentPort!;
const machine = new VoiceMachine(new WasiProgram(module, 'flite'), kept && new KeptRuns(kept.folder, kept.program));

port.on('message', ({ id, job }: { id: number; job: SpeechJob }) => {
  try {
    const result = machine.speak(job);
    port.postMessage({ type: 'done', id, result }, [result.pcm.buffer as ArrayBuffer]);
  } catch (error) {
    port.postMessage({ type: 'failed', id, message: firstLine(error) });
  }
  machine.prepare();
});

// The compiler warms up on this, not on the first caller: the code it has made once is there. More sentences make it a little faster.
machine.speak({ text: 'Hello, how may I help you today?', voice, speed: 1, restMs: 0 });
machine.prepare();
port.postMessage({ type: 'ready' });

import '../../core/ends-when-asked.ts';
import { parentPort, workerData } from 'node:worker_threads';
import llamaTokenizer from 'llama-tokenizer-js';
import { nice } from '../../core/priority.ts';
import { firstLine } from '../first-line.ts';
import type { Transcript } from '../ports.ts';
import { MOST_SAMPLES, MoonshineModel } from './moonshine-model.ts';
import { plainWords } from './plain-words.ts';
import { quietCuts, withoutQuietStart } from './quiet-cuts.ts';

/** One job: 8 kHz mono of any length. */
export interface ToTranscribe {
  readonly pcm: Int16Array;
}

const main = parentPort!;
const { folder, niceness } = workerData as { folder: string; niceness: number };
if (niceness > 0) nice(niceness);
const model = await MoonshineModel.load(folder);

main.on('message', ({ id, job }: { id: number; job: ToTranscribe }) => {
  transcribe(job).then(
    (result) => main.postMessage({ type: 'done', id, result }),
    (error: unknown) => main.postMessage({ type: 'failed', id, message: firstLine(error) }),
  );
});
main.postMessage({ type: 'ready' });

async function transcribe({ pcm }: ToTranscribe): Promise<Transcript> {
  const texts: string[] = [];
  let [sum, count] = [0, 0];
  for (const piece of quietCuts(pcm, MOST_SAMPLES)) {
    const { tokens, logProbability } = await model.decode(withoutQuietStart(piece));
    texts.push(plainWords(llamaTokenizer.decode([...tokens], false, false)));
    sum += logProbability * (tokens.length + 1);
    count += tokens.length + 1;
  }
  return { text: texts.filter((text) => text !== '').join(' '), confidence: Math.exp(sum / Math.max(1, count)) };
}

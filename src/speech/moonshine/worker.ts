import '../../core/ends-when-asked.ts';
import { parentPort, workerData } from 'node:worker_threads';
import llamaTokenizer from 'llama-tokenizer-js';
import { nice } from '../../core/priority.ts';
import { firstLine } from '../first-line.ts';
import type { Transcript } from '../ports.ts';
import { type HeardSound, MOST_SAMPLES, MoonshineModel } from './moonshine-model.ts';
import { plainWords } from './plain-words.ts';
import { quietCuts, withoutQuietStart } from './quiet-cuts.ts';
import { SentenceFit } from './sentence-fit.ts';

/** One job: 8 kHz mono of any length. */
export interface ToTranscribe {
  readonly pcm: Int16Array;
  /** Tells what was said from anything else that is asked about. */
  readonly id: number;
}

/** How well each of these fits what is transcribed under this id. The answer: as Transcriber.fit(). */
export interface ToFit extends ToTranscribe {
  readonly sentences: readonly string[];
}

const main = parentPort!;
const { folder, niceness } = workerData as { folder: string; niceness: number };
if (niceness > 0) nice(niceness);
const model = await MoonshineModel.load(folder);
const sentenceFit = new SentenceFit(model);

/** Whoever asks how well sentences fit asks right behind the transcript: what was heard then is not heard again. */
const KEPT = 4;
const heardLately = new Map<number, HeardSound>();

main.on('message', ({ id, job }: { id: number; job: ToTranscribe | ToFit }) => {
  const answer: Promise<Transcript | readonly number[]> = 'sentences' in job ? fitOf(job) : transcribe(job);
  answer.then(
    (result) => main.postMessage({ type: 'done', id, result }),
    (error: unknown) => main.postMessage({ type: 'failed', id, message: firstLine(error) }),
  );
});
main.postMessage({ type: 'ready' });

async function transcribe({ pcm, id }: ToTranscribe): Promise<Transcript> {
  const texts: string[] = [];
  let [sum, count] = [0, 0];
  const pieces = quietCuts(pcm, MOST_SAMPLES);
  for (const piece of pieces) {
    const heard = await model.hear(withoutQuietStart(piece));
    if (heard !== undefined && pieces.length === 1) keep(id, heard);
    const { tokens, logProbability } = await model.decode(heard);
    texts.push(plainWords(llamaTokenizer.decode([...tokens], false, false)));
    sum += logProbability * (tokens.length + 1);
    count += tokens.length + 1;
  }
  const text = texts.filter((one) => one !== '').join(' ');
  return { text, confidence: Math.exp(sum / Math.max(1, count)) };
}

async function fitOf({ pcm, id, sentences }: ToFit): Promise<readonly number[]> {
  const heard = heardLately.get(id) ?? (await model.hear(withoutQuietStart(pcm)));
  if (heard === undefined) return sentences.map(() => Number.NEGATIVE_INFINITY);
  return sentenceFit.of(heard, sentences);
}

function keep(id: number, heard: HeardSound): void {
  heardLately.set(id, heard);
  const [oldest] = heardLately.keys();
  if (heardLately.size > KEPT) heardLately.delete(oldest!);
}

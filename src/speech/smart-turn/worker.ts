import '../../core/ends-when-asked.ts';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type Ms, monotonicNow } from '../../core/clock.ts';
import type { ListenMessage } from '../../media/ports.ts';
import { firstLine } from '../first-line.ts';
import type { FromWorker, ToWorker } from './protocol.ts';
import { SmartTurnModel } from './smart-turn-model.ts';
import { TurnAudio } from './turn-audio.ts';

/** A verdict that comes later than this after the pause began is of no use: the endpoint was decided without it. */
const LATEST_MS: Ms = 1000;

interface Stream {
  from: MessagePort;
  to: MessagePort;
  audio: TurnAudio;
  /** The pause that waits for its verdict. A new one takes its place, going on takes it back. */
  pause: { segment: number; at: Ms } | undefined;
}

const main = parentPort!;
const model = await SmartTurnModel.load((workerData as { model: string }).model);
const streams = new Map<number, Stream>();
let judging = false;

main.on('message', (message: ToWorker) => {
  if (message.type === 'open') open(message);
  else close(message.stream);
});
main.postMessage({ type: 'ready' });

function open({ stream, from, to }: Extract<ToWorker, { type: 'open' }>): void {
  const open: Stream = { from, to, audio: new TurnAudio(), pause: undefined };
  streams.set(stream, open);
  from.on('message', (message: ListenMessage) => {
    listen(open, message);
    if (message.type === 'audio') to.postMessage(message, [message.pcm.buffer as ArrayBuffer]);
    else to.postMessage(message);
    void judge();
  });
  // The media session has ended.
  from.on('close', () => close(stream));
}

function listen(stream: Stream, message: ListenMessage): void {
  if (message.type === 'segment-start') stream.audio.begin();
  if (message.type === 'audio') stream.audio.push(message.pcm);
  if (message.type === 'pause') stream.pause = { segment: message.segment, at: message.at };
  if (message.type === 'segment-start' || message.type === 'segment-end') stream.pause = undefined;
}

/** One pause after the other, the one that began first before all others. */
async function judge(): Promise<void> {
  if (judging) return;
  judging = true;
  for (let next = takePause(); next !== undefined; next = takePause()) {
    const { id, audio, segment } = next;
    try {
      const probability = await model.probability(audio);
      if (streams.has(id)) tell({ type: 'verdict', stream: id, segment, probability, at: monotonicNow() });
    } catch (error) {
      tell({ type: 'trouble', message: firstLine(error) });
    }
  }
  judging = false;
}

function takePause(): { id: number; audio: TurnAudio; segment: number } | undefined {
  let first: { id: number; stream: Stream; at: Ms; segment: number } | undefined;
  for (const [id, stream] of streams) {
    if (stream.pause && monotonicNow() - stream.pause.at > LATEST_MS) stream.pause = undefined;
    if (stream.pause && (!first || stream.pause.at < first.at)) first = { id, stream, ...stream.pause };
  }
  if (first === undefined) return undefined;
  first.stream.pause = undefined;
  return { id: first.id, audio: first.stream.audio, segment: first.segment };
}

function close(id: number): void {
  const stream = streams.get(id);
  streams.delete(id);
  stream?.from.close();
  stream?.to.close();
}

function tell(message: FromWorker): void {
  main.postMessage(message);
}

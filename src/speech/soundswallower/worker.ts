import '../../core/ends-when-asked.ts';
import { deserialize, serialize } from 'node:v8';
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { asFailure } from '../../core/errors.ts';
import { nice } from '../../core/priority.ts';
import type { ListenMessage } from '../../media/ports.ts';
import { firstLine } from '../first-line.ts';
import type { SpeechHints } from '../ports.ts';
import { readModels } from './acoustic-model.ts';
import { Backlog } from './backlog.ts';
import { GrammarDecoder } from './decoder.ts';
import { DecoderPool } from './decoder-pool.ts';
import { Dictionary, dictionaryIn } from './dictionary.ts';
import { imageOnce, type SharedImage } from './engine-image.ts';
import { FastGaussians } from './gaussians/fast-gaussians.ts';
import { type CompiledGrammar, GrammarCache } from './grammar-cache.ts';
import { KeptEngine } from './kept-engine.ts';
import { KeptGrammars } from './kept-grammars.ts';
import { LaterListening } from './later-listening.ts';
import { Listening, lostResult } from './listening.ts';
import { type FromWorker, NO_WORK, type ToWorker, type WorkerStats } from './protocol.ts';

export interface WorkerSettings {
  /** Folder of soundswallower's models, with a trailing slash. */
  modelBase: string;
  decoders: number;
  mostDecoders: number;
  /** soundswallower's WebAssembly, compiled. */
  code: WebAssembly.Module;
  /** For all threads of the recogniser. */
  image: SharedImage;
  /** The thread comes behind others by so much, 0 to 19. */
  niceness: number;
  /** Folders in which compiled grammars and the started engine are kept, and what they are made by; undefined: nowhere. */
  kept: { grammars: string; engine: string; madeBy: string } | undefined;
}

/** A call's stream: with `later`, audio goes there first. */
interface Stream {
  listening: Listening;
  later: LaterListening | undefined;
  port: MessagePort;
}

const settings = workerData as WorkerSettings;
if (settings.niceness > 0) nice(settings.niceness);
const main = parentPort!;
const streams = new Map<number, Stream>();
const counters: WorkerStats = { ...NO_WORK };
const kept = settings.kept && new KeptGrammars(settings.kept.grammars, settings.kept.madeBy);
const grammars = new GrammarCache(await Dictionary.load(dictionaryIn(settings.modelBase)));
const image = await imageOnce(settings.image, async () => {
  const engine = settings.kept && new KeptEngine(settings.kept.engine, settings.kept.madeBy);
  const before = engine?.get();
  if (before !== undefined) return before;
  const gaussians = new FastGaussians();
  const files = await readModels(`${settings.modelBase}en-us/`);
  const started = (await GrammarDecoder.create(settings.modelBase, files, gaussians)).image(gaussians);
  engine?.put(started);
  return started;
});
const gaussians = new FastGaussians(image.tables);
const pool = new DecoderPool(
  () => GrammarDecoder.copy(image, settings.code, gaussians),
  settings.mostDecoders,
  (error) => tell({ type: 'trouble', message: firstLine(error) }),
);
await pool.fill(settings.decoders);
const backlog = new Backlog({ soon: setImmediate });

main.on('message', onMain);
tell({ type: 'ready' });

function onMain(message: ToWorker): void {
  if (message.type === 'open') open(message);
  else if (message.type === 'prepare') prepare(message);
  else if (message.type === 'hint') hint(message);
  else if (message.type === 'close') close(message.stream);
  else {
    const { size: decoders, free: decodersFree, waiting } = pool;
    const { waitingMs } = backlog;
    tell({
      type: 'stats',
      id: message.id,
      stats: { ...counters, streams: streams.size, decoders, decodersFree, waiting, backlogMs: waitingMs },
    });
  }
}

/** Two ports keep no order between them: a hint given before a segment began must count for it. */
function catchUpWithMain(): void {
  for (let next = receiveMessageOnPort(main); next !== undefined; next = receiveMessageOnPort(main)) {
    onMain(next.message as ToWorker);
  }
}

function open({ stream, port, hints }: Extract<ToWorker, { type: 'open' }>): void {
  try {
    const grammar = grammars.get(hints);
    pool.prepare(grammar);
    const listening = new Listening({
      pool,
      grammar,
      counters,
      hurried: hints.unhurried !== true,
      onResult: (result) => tell({ type: 'result', stream, result }),
      onFailure: (failure) => fail(stream, failure),
    });
    listening.besidesAtMs = hints.besidesAtMs ?? [];
    listening.inPauses = hints.inPauses ?? false;
    const later = hints.unhurried === true ? listenLater(stream, listening) : undefined;
    const ear = later ?? listening;
    streams.set(stream, { listening, later, port });
    port.on('message', (message: ListenMessage) => {
      if (message.type === 'segment-start') catchUpWithMain();
      ear.onMessage(message);
    });
    // the media session has ended, or is heard by another stream
    port.on('close', () => (later ? later.leave() : listening.close()));
  } catch (error) {
    port.close();
    fail(stream, error);
  }
}

/** From disk, where another start has compiled it. Only what bots begin with is kept: nothing of any caller. */
function compiledBefore(hints: SpeechHints): boolean {
  const before = kept?.get(hints);
  if (before !== undefined) grammars.put(before);
  return before !== undefined;
}

/** So that no caller waits for it: compiling takes a third of a second, loading a tenth, and code is slow at first. */
function prepare({ hints, compiled }: Extract<ToWorker, { type: 'prepare' }>): void {
  try {
    if (compiled !== undefined) grammars.put(deserialize(compiled) as CompiledGrammar);
    const isNew = compiled === undefined && !compiledBefore(hints);
    const grammar = grammars.get(hints);
    // the others wait for it
    if (compiled === undefined) tell({ type: 'compiled', key: hints.key, compiled: serialize(grammar) });
    pool.equip(grammar);
    if (isNew) kept?.put(hints, grammar);
  } catch (error) {
    tell({ type: 'trouble', message: firstLine(error) });
  }
}

function listenLater(stream: number, listening: Listening): LaterListening {
  return new LaterListening({
    backlog,
    listening,
    onLost: (segment) => {
      counters.lost++;
      tell({ type: 'result', stream, result: lostResult(segment) });
    },
  });
}

function hint({ stream, hints }: Extract<ToWorker, { type: 'hint' }>): void {
  const open = streams.get(stream);
  if (open === undefined) return;
  try {
    const grammar = grammars.get(hints);
    open.listening.grammar = grammar;
    open.listening.besidesAtMs = hints.besidesAtMs ?? [];
    open.listening.inPauses = hints.inPauses ?? false;
    pool.prepare(grammar);
  } catch (error) {
    fail(stream, error);
  }
}

function close(stream: number): void {
  const open = streams.get(stream);
  streams.delete(stream);
  open?.later?.close();
  open?.listening.close();
  open?.port.close();
}

function fail(stream: number, error: unknown): void {
  close(stream);
  const { code } = asFailure(error);
  tell({ type: 'failure', stream, code, message: firstLine(error) });
}

function tell(message: FromWorker | { type: 'ready' }): void {
  main.postMessage(message);
}

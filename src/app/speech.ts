import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { ActionCatalogue } from '../banking/declaration.ts';
import { fixedWords } from '../banking/fixed-words.ts';
import type { BotProfile } from '../call/bot/bot-profile.ts';
import { type Bots, firstHints } from '../call/bot/bots.ts';
import { overheardHints } from '../call/bot/hints.ts';
import type { RecognizerFigures, SecondEarFigures } from '../call/metrics/speech-metrics.ts';
import { LaterTranscript } from '../call/record/later-transcript.ts';
import type { UntranscribedLines } from '../call/record/untranscribed-lines.ts';
import type { Recordings } from '../call/recording/recordings.ts';
import type { CallRegistry } from '../call/registry.ts';
import type { Config } from '../config.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { FallbackModel } from '../dialogue/models/fallback-model.ts';
import type { LanguageModel } from '../dialogue/models/language-model.ts';
import { FIXED_WORDS } from '../dialogue/scripted/phrases.ts';
import { ScriptedDialogue } from '../dialogue/scripted/scripted-dialogue.ts';
import { fixedPrompts } from '../dialogue/speaking/prompts.ts';
import { MoonshineTranscriber } from '../speech/moonshine/moonshine-transcriber.ts';
import type { Recognizer, SpeechHints, Synthesizer, Transcriber } from '../speech/ports.ts';
import { SecondEarRecognizer } from '../speech/second-ear-recognizer.ts';
import { EndOfTurnRecognizer } from '../speech/smart-turn/end-of-turn-recognizer.ts';
import { SoundswallowerRecognizer } from '../speech/soundswallower/soundswallower-recognizer.ts';

/** The recogniser and what it counts. */
export interface Ears {
  recognizer: Recognizer;
  /** What callers will say is made ready, so that the first of them does not wait for it. */
  prepare(hints: SpeechHints): void;
  figures: () => Promise<RecognizerFigures>;
  /** Undefined where there is none. */
  secondEar: (() => SecondEarFigures) | undefined;
  /** For speech of any words that nobody waits for; undefined where there is no model for it. */
  recordTranscriber: Transcriber | undefined;
  close(): Promise<void>;
}

/** Brought by scripts/setup.mjs. */
const FETCHED_MODEL = fileURLToPath(new URL('../../dist/models/moonshine-tiny', import.meta.url));

/** Niceness of what nobody waits for. */
const BEHIND_ALL = 19;
/** Calls that are listened to at a time when they are over: a day of talk is to have its words on the same day. */
const LISTENED_TO_AT_ONCE = Math.min(4, availableParallelism());

/** Two ears for speech of any words: callers wait for the one, so what is only taken down must never be in its way. */
interface FreeEars {
  forCallers: Transcriber;
  forRecords: Transcriber;
}

/** Rejects with Failure worker-died where a folder is named that holds no such model. */
async function freeEars({ freeSpeechModel }: Config, log: Logger): Promise<FreeEars | undefined> {
  if (freeSpeechModel === 'off') return undefined;
  const folder = freeSpeechModel === 'auto' ? FETCHED_MODEL : freeSpeechModel;
  if (freeSpeechModel === 'auto' && !existsSync(FETCHED_MODEL)) {
    log.warn('no model for free speech was fetched: what the grammar does not know is not understood');
    return undefined;
  }
  const forCallers = new MoonshineTranscriber({ folder, log });
  if (freeSpeechModel !== 'auto') await forCallers.prepare();
  // Its threads are started by the first call in which people speak with each other.
  const behind = { niceness: BEHIND_ALL, threads: LISTENED_TO_AT_ONCE };
  return { forCallers, forRecords: new MoonshineTranscriber({ folder, ...behind, log }) };
}

/** Calls of one recogniser thread before another is started: when four speak at once, the last waits for some milliseconds. */
const STREAMS_TO_FILL = 4;

/** Words by grammar, of which another ear hears what they do not fit; with a model of when turns end where one is given. */
export async function startRecognizer(config: Config, log: Logger): Promise<Ears> {
  const free = await freeEars(config, log);
  const grammar = await SoundswallowerRecognizer.start({
    workers: availableParallelism(),
    streamsToFill: STREAMS_TO_FILL,
    recordWorkers: 1,
    keepIn: config.cacheDir,
    log,
  });
  const second = free && new SecondEarRecognizer({ recognizer: grammar, transcriber: free.forCallers, log });
  const words = second ?? grammar;
  const ears = (recognizer: Recognizer): Ears => ({
    recognizer,
    prepare: (hints) => grammar.prepare(hints),
    figures: () => grammar.stats(),
    secondEar: second && (() => second.stats()),
    recordTranscriber: free?.forRecords,
    close: async () => void (await Promise.all([recognizer.close(), free?.forRecords.close()])),
  });
  if (config.endOfTurnModel === undefined) return ears(words);
  try {
    return ears(await EndOfTurnRecognizer.start({ recognizer: words, model: config.endOfTurnModel, log }));
  } catch (error) {
    await words.close();
    throw error;
  }
}

/** Makes ready what is heard first in the calls of all bots: nobody's first words wait for a grammar. */
export function prepareEars(ears: Pick<Ears, 'prepare'>, bots: Bots, recallWords: string): void {
  for (const bot of bots.all()) for (const hints of firstHints(bot, recallWords)) ears.prepare(hints);
}

/** So much speech of calls that go on may wait: what is listened to after a call comes behind it. */
const LIVE_BACKLOG_MS = 2000;

export interface LaterTranscriptParts {
  store: { untranscribed: UntranscribedLines };
  ears: Ears;
  bots: Bots;
  recordings: Recordings;
  registry: CallRegistry;
  recallWords: string;
  log: Logger;
}

/** Words for what nobody had time to listen to, from the recordings. */
export function laterTranscript({ store, ears, bots, recordings, registry, recallWords, log }: LaterTranscriptParts) {
  return new LaterTranscript({
    lines: store.untranscribed,
    recognizer: ears.recognizer,
    transcriber: ears.recordTranscriber,
    hintsFor({ botProfile, speaker }) {
      const bot = bots.named(botProfile);
      if (speaker === 'agent') return bot?.hintsForPerson(recallWords);
      return bot && overheardHints(bot.hintsFor);
    },
    speech: (recording, side, span) => recordings.speech(recording, side, span),
    onWords: (line) => registry.utterance(line),
    isActive: (sessionId) => registry.isActive(sessionId),
    // What waits of calls that are over is as little in a hurry.
    busy: async () => registry.size > 0 && (await ears.figures()).backlogMs > LIVE_BACKLOG_MS,
    atOnce: LISTENED_TO_AT_ONCE,
    log,
  });
}

/** Makes the fixed words of all bots, so that no caller waits for them. */
export async function warm(profiles: Iterable<BotProfile>, synthesizer: Synthesizer): Promise<void> {
  for (const { prompts, voice } of profiles) await synthesizer.warm(fixedPrompts(prompts), { voice, lasting: true });
}

/** Makes what the actions and the scripted dialogue say as it stands, in the voices of all bots: behind what calls begin with. */
export async function warmAnswers(
  profiles: Iterable<BotProfile>,
  synthesizer: Synthesizer,
  catalogue: ActionCatalogue,
): Promise<void> {
  const words = [...FIXED_WORDS, ...fixedWords(catalogue)];
  for (const voice of new Set(Array.from(profiles, (profile) => profile.voice)))
    await synthesizer.warm(words, { voice, lasting: true });
}

export async function languageModel(config: Config, log: Logger): Promise<LanguageModel> {
  const scripted = new ScriptedDialogue();
  if (config.llm.provider === 'scripted') return scripted;
  // its client takes a sixth of a second to load
  const { OpenAiModel } = await import('../dialogue/openai/openai-model.ts');
  return new FallbackModel(new OpenAiModel(config.llm), scripted, {
    firstPartMs: 1200,
    stallMs: 1500,
    restMs: 30_000,
    now: systemClock.now,
    onFallback: (failure) =>
      log.warn(
        { code: failure.code, reason: failure.message },
        'language model failed; the scripted dialogue takes over',
      ),
  });
}

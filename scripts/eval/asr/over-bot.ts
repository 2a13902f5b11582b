import type { Ms } from '../../../src/core/clock.ts';
import { summarize } from '../../../tests/support/phone/measures.ts';
import { SPEECH_DBFS, voicedSpan } from '../audio/levels.ts';
import { roomNoise } from '../audio/room.ts';
import type { Sources, Studio } from '../audio/studio.ts';
import { callers } from '../corpus/people.ts';
import type { Caller, Sound } from '../corpus/types.ts';
import { groupBy, shareOf } from '../score/statistics.ts';
import type { Condition } from './conditions.ts';
import { received } from './line.ts';
import { type Overlap, TellingCall, type TellingCallOptions } from './telling-call.ts';

/** What somebody says, or what sounds, while the bot tells something. */
export interface OverBotTrial {
  /** interruption: the bot must leave what it tells. listening, sound: it must go on. */
  readonly kind: 'interruption' | 'listening' | 'sound';
  readonly sound: Sound;
}

export interface OverBotOutcome extends Overlap {
  readonly kind: OverBotTrial['kind'];
  readonly voice: string;
  readonly condition: string;
  readonly said: string;
  readonly right: boolean;
  /** From the caller's first voiced window to the decision to leave it. */
  readonly decidedMs: Ms | undefined;
}

const PER_MS = 8;
/** The bot has been heard for so long: the line is known by then. */
const BEFORE_MS: Ms = 1400;
/** By then it is decided. */
const AFTER_MS: Ms = 2600;
/** What is said in passing is quieter than speech. */
const PASSING_DBFS = -23;
const SHOUTED_DBFS = -9;

const INTERRUPTIONS = [
  'stop',
  'stop it',
  'wait',
  'no',
  'hold on',
  'hang on',
  'cancel',
  'not that',
  "that's enough",
  'quiet',
  'stop please',
  'no no no',
  'wait a moment',
  'what is my balance',
];
/** Those that hurt most when they go unheard, once more in other moments, and shouted. */
const AGAIN = ['stop', 'stop it', 'no', 'wait'];
const LISTENING = [
  'okay',
  'right',
  'yes',
  'yeah',
  'uh huh',
  'i see',
  'sure',
  'oh',
  'ah',
  'all right',
  'good',
  'of course',
  'really',
  'great',
  'got it',
  'fine',
  'exactly',
  'wow',
  'hmm',
];
const words = (text: string, dbfs: number): Sound => ({ kind: 'words', text, dbfs });
const seeds = (n: number, kind: 'cough' | 'door' | 'hum'): Sound[] =>
  Array.from({ length: n }, (_, i) => ({ kind, seed: i + 1 }));

const interruption = (text: string, dbfs: number): OverBotTrial => ({ kind: 'interruption', sound: words(text, dbfs) });

/** What one caller says over the bot. Coughs, doors and hums are nobody's: they come with the first. */
export function overBotTrials(first: boolean): OverBotTrial[] {
  const sounds = first ? [...seeds(8, 'cough'), ...seeds(8, 'door'), ...seeds(12, 'hum')] : [];
  return [
    ...INTERRUPTIONS.map((text) => interruption(text, SPEECH_DBFS)),
    ...AGAIN.map((text) => interruption(text, SPEECH_DBFS)),
    ...AGAIN.map((text) => interruption(text, SHOUTED_DBFS)),
    ...LISTENING.map((text): OverBotTrial => ({ kind: 'listening', sound: words(text, PASSING_DBFS) })),
    ...sounds.map((sound): OverBotTrial => ({ kind: sound.kind === 'hum' ? 'listening' : 'sound', sound })),
  ];
}

/** The callers of the corpus, and espeak's other accents, throats and speeds, which no rule was made for. */
export function overBotVoices(sources: Sources): Caller[] {
  const espeak = (voice: string, rate = 1): Caller => ({ engine: 'espeak', voice, rate });
  const more = [
    espeak('en-us', 1.2),
    espeak('en-gb', 1.2),
    espeak('en-us', 0.85),
    espeak('en-gb', 0.85),
    ...['en-gb-scotland', 'en-gb-x-rp', 'en-gb-x-gbclan', 'en-gb-x-gbcwmd', 'en-029', 'en-us-nyc'].map((voice) =>
      espeak(voice),
    ),
    ...['en-us+f2', 'en-us+f3', 'en-us+m3', 'en-us+m7', 'en-us+klatt'].map((voice) => espeak(voice)),
    ...['en-gb+f2', 'en-gb+f4', 'en-gb+m3', 'en-gb+m6', 'en-gb+klatt2'].map((voice) => espeak(voice)),
    espeak('en-gb-scotland+f3', 1.15),
    espeak('en-029+f4', 0.9),
  ];
  return [...callers(sources), ...(sources.espeak ? more : [])];
}

/** One call: the bot tells something, the caller says this over it, and what came of it. */
export async function playOverBot(
  trial: OverBotTrial,
  caller: Caller,
  voice: string,
  condition: Condition,
  seed: number,
  options: TellingCallOptions & { readonly studio: Studio },
): Promise<OverBotOutcome> {
  const { studio } = options;
  const pcm = await studio.sound(caller, trial.sound);
  const at = BEFORE_MS + ((seed * 37) % 200);
  const line = new Int16Array(Math.ceil((at * PER_MS + pcm.length + AFTER_MS * PER_MS) / 160) * 160);
  line.set(pcm, at * PER_MS);
  const noise = await roomNoise(condition.noise, caller, seed, studio);
  const overlap = await new TellingCall(options).hear(received(line, noise, condition.lossPercent ?? 0, seed));
  const from = at + (voicedSpan(pcm)?.from ?? 0) / PER_MS;
  const decidedMs = overlap.interruptedAt === undefined ? undefined : overlap.interruptedAt - from;
  return {
    ...overlap,
    kind: trial.kind,
    voice,
    condition: condition.name,
    said: trial.sound.kind === 'words' ? trial.sound.text : trial.sound.kind,
    right: (decidedMs !== undefined) === (trial.kind === 'interruption'),
    decidedMs,
  };
}

/** How many of each were taken for what they are, by condition, by what was said, and by voice. */
export function overBotTable(outcomes: readonly OverBotOutcome[], wrong: boolean): string {
  const by = (keyOf: (one: OverBotOutcome) => string) =>
    [...groupBy(outcomes, keyOf)].map(([key, mine]) => row(key, mine));
  const lines = [
    `${'over the bot'.padEnd(38)}   right                  decided p50   p95   silent p50`,
    ...by(({ condition, kind }) => `${condition}, ${kind}`),
    '',
    ...by(({ kind, said }) => `${kind}: ${said}`),
    '',
    ...by(({ kind, voice }) => `${voice}, ${kind === 'interruption' ? kind : 'to go on'}`),
    ...(wrong ? ['', ...outcomes.filter(({ right }) => !right).map(wrongLine)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function row(key: string, mine: readonly OverBotOutcome[]): string {
  const { hits, n, percent, low } = shareOf(mine.filter(({ right }) => right).length, mine.length);
  const decided = summarize(mine.map(({ decidedMs }) => decidedMs).filter((ms) => ms !== undefined));
  const silent = summarize(mine.filter(({ decidedMs }) => decidedMs === undefined).map(({ silentMs }) => silentMs));
  return [
    key.padEnd(38),
    `${hits} of ${n}`.padStart(12),
    `${percent!.toFixed(1)} % (>= ${low!.toFixed(0)})`.padStart(18),
    (decided?.p50.toFixed(0) ?? '').padStart(8),
    (decided?.p95.toFixed(0) ?? '').padStart(6),
    (silent?.p50.toFixed(0) ?? '').padStart(12),
  ].join('');
}

function wrongLine({ kind, condition, voice, said, heard, partials, silentMs, decidedMs }: OverBotOutcome): string {
  const finals = heard.map(({ text, rejected, confidence }) => {
    return `"${text}" ${confidence.toFixed(2)}${rejected ? ' rejected' : ''}`;
  });
  const what = `${finals.join(', ') || 'nothing'} (${partials.join(' > ')})`;
  const bot = decidedMs === undefined ? `silent for ${silentMs} ms` : `left it after ${decidedMs.toFixed(0)} ms`;
  return `${kind}, ${condition}, ${voice}: "${said}" -> ${what}; ${bot}`;
}

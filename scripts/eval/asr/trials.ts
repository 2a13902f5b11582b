import type { RequestReader } from '../../../src/dialogue/requests/request-reader.ts';
import type { Expectation } from '../../../src/dialogue/speaking/voice.ts';
import { digitsIn, yesNo } from '../../../src/sentences/understand.ts';
import type { Sources } from '../audio/studio.ts';
import { callers, spoken } from '../corpus/people.ts';
import { REQUESTS } from '../corpus/requests.ts';
import type { Caller, Sound } from '../corpus/types.ts';

/** What the recogniser is tried with. `outside` is anything that must not be taken for a sentence. */
export const KINDS = ['request', 'short', 'answer', 'number', 'paused number', 'outside', 'sound'] as const;
export type Kind = (typeof KINDS)[number];

export interface Trial {
  readonly kind: Kind;
  readonly awaited: Expectation;
  /** Words and pauses in ms, or a sound that is no speech. */
  readonly said: readonly (string | number)[] | Sound;
  /** Of the human voice's recordings: names of files. */
  readonly recording?: true;
  /** Words that mean what must be understood; undefined when it must be rejected. */
  readonly words?: string;
}

const REQUEST: Expectation = { kind: 'request' };
const YES_NO: Expectation = { kind: 'yes-no', secret: false };
const number = (length: number): Expectation => ({ kind: 'digits', length, secret: false });

const SENTENCES = [
  ...REQUESTS.map(({ words }) => words),
  'block my card please',
  'i want to speak to an agent',
  'what are my last five transactions',
  'can you repeat that please',
  'please verify me',
  'i lost my credit card',
];
const SHORT = [
  'stop',
  'wait',
  'no',
  'yes',
  'hello',
  'goodbye',
  'thank you',
  'sorry',
  'help',
  'agent',
  'hold on',
  'okay',
];
const ANSWERS = [
  'yes',
  'no',
  'yes please',
  'no thank you',
  "that's right",
  'correct',
  'stop',
  'cancel',
  'yeah',
  'okay',
];
const NUMBERS = ['471920', '830465', '506213', '2580', '1397'];
const SPOKEN_NUMBERS: readonly [string, string][] = [
  ['four seven one nine two oh', '471920'],
  ['eight three oh four six five', '830465'],
  ['five double zero six one three', '500613'],
  ['double two seven eight nine nine', '227899'],
];
const OUTSIDE = [
  'the weather in paris is lovely today',
  'how tall is the eiffel tower',
  'we drove to the mountains last weekend',
  'my sister plays the violin',
  'the quick brown fox jumps over the lazy dog',
  'can you pick up some bread on your way home',
  'he said that the train would be late again',
  'i think we should ask your mother first',
  'put the kettle on would you',
  'there is somebody at the door',
  'turn the music down i am on the phone',
  'banana',
  'tomorrow',
  'window',
  'seventeen trees',
  'of the water',
  'mm hmm',
  'hmm',
  'oh dear',
  'dinner is ready',
];
const SOUNDS: readonly Sound[] = [
  { kind: 'cough', seed: 1 },
  { kind: 'cough', seed: 2 },
  { kind: 'cough', seed: 3 },
  { kind: 'door', seed: 1 },
  { kind: 'door', seed: 2 },
];
/** Announcements of the human voice: no sentence of a bank's customer. */
const HUMAN_OUTSIDE = [
  'tt-weasels',
  'tt-monkeysintro',
  'tt-allbusy',
  'demo-echotest',
  'demo-nogo',
  'conf-getpin',
  'vm-enter-num-to-call',
  'vm-rec-name',
  'vm-toreply',
  'vm-nobodyavail',
  'queue-minutes',
  'at-tone-time-exactly',
  'all-circuits-busy-now',
  'from-unknown-caller',
];
const HUMAN_SHORT: readonly [string, string][] = [
  ['hello', 'hello'],
  ['vm-goodbye', 'goodbye'],
  ['im-sorry', 'sorry'],
  ['one-moment-please', 'one moment please'],
];

/** espeak voices that no threshold was ever tuned on, and the voices of the conversations. */
export function voicesFor(sources: Sources): Caller[] {
  const more: Caller[] = ['en-us+f3', 'en-gb-scotland'].map((voice) => ({ engine: 'espeak', voice, rate: 1 }));
  return [...callers(sources), ...(sources.espeak ? more : [])];
}

export const HUMAN: Caller = { engine: 'human', voice: 'allison', rate: 1 };

/** Everything one caller says, in the order of a call; `caller` decides how digits are written. */
export function trialsFor(caller: Caller): Trial[] {
  if (caller === HUMAN) return humanTrials();
  const request =
    (kind: Kind) =>
    (text: string): Trial => ({
      kind,
      awaited: REQUEST,
      said: [text],
      words: text,
    });
  const digits = (value: string, said: readonly (string | number)[], kind: Kind): Trial => ({
    kind,
    awaited: number(value.length),
    said,
    words: value,
  });
  const outside =
    (awaited: Expectation) =>
    (text: string): Trial => ({ kind: 'outside', awaited, said: [text] });
  return [
    ...SENTENCES.map(request('request')),
    ...SHORT.map(request('short')),
    ...ANSWERS.map((text): Trial => ({ kind: 'answer', awaited: YES_NO, said: [text], words: text })),
    ...NUMBERS.map((value) => digits(value, [spoken(caller, value)], 'number')),
    ...SPOKEN_NUMBERS.map(([text, value]) => digits(value, [text], 'number')),
    ...pausedNumbers(caller),
    ...OUTSIDE.map(outside(REQUEST)),
    ...OUTSIDE.slice(0, 8).map(outside(number(6))),
    ...OUTSIDE.slice(8).map(outside(YES_NO)),
    ...SOUNDS.flatMap((said) =>
      [REQUEST, YES_NO, number(6)].map((awaited): Trial => ({ kind: 'sound', awaited, said })),
    ),
  ];
}

function humanTrials(): Trial[] {
  const recording = true;
  const numbers = [...NUMBERS, '908172', '334455', '762018'].map(
    (value): Trial => ({
      kind: 'number',
      awaited: number(value.length),
      said: [spoken(HUMAN, value)],
      recording,
      words: value,
    }),
  );
  return [
    ...HUMAN_SHORT.map(
      ([file, text]): Trial => ({ kind: 'short', awaited: REQUEST, said: [file], recording, words: text }),
    ),
    ...numbers,
    ...pausedNumbers(HUMAN).map((trial): Trial => ({ ...trial, recording })),
    ...HUMAN_OUTSIDE.flatMap((file) =>
      [REQUEST, YES_NO].map((awaited): Trial => ({ kind: 'outside', awaited, said: [file], recording })),
    ),
  ];
}

/** Six digits in two or three groups, up to a second apart. */
function pausedNumbers(caller: Caller): Trial[] {
  const groups: readonly [string, readonly number[], number][] = [
    ['471920', [3], 500],
    ['830465', [2, 4], 700],
    ['506213', [3], 1000],
    ['908172', [2, 4], 1000],
  ];
  return groups.map(([value, places, pause]) => {
    const edges = [0, ...places, value.length];
    const parts = edges.slice(1).map((end, i) => spoken(caller, value.slice(edges[i], end)));
    const said = parts.flatMap((part, i) => (i === 0 ? [part] : [pause, part]));
    return { kind: 'paused number', awaited: number(value.length), said, words: value };
  });
}

/** What a text comes down to for the one who awaits it: texts of one meaning are as good as each other. */
export function meaningFor(awaited: Expectation, reader: RequestReader, text: string): string {
  if (awaited.kind === 'digits') return digitsIn(text);
  if (awaited.kind === 'yes-no') return yesNo(text) ?? text;
  const reading = reader.read(text);
  return reading.kind === 'unclear' ? text : JSON.stringify(reading);
}

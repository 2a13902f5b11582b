import { sentencesOf } from '../../sentences/expand.ts';
import { argumentsIn, type Slot, slotsFromSchema } from '../../sentences/slots.ts';
import { type Sounds, soundDistances, soundsIn, soundsOfAll } from '../../sentences/sounds-alike.ts';
import { parseTemplate } from '../../sentences/template.ts';
import { NO_PHRASES, YES_PHRASES } from '../../sentences/yes-no.ts';
import type { Action } from '../questions/action-desk.ts';
import { COMMANDS } from '../questions/answers.ts';
import type { Reading } from './request-reader.ts';
import { commonSentences } from './small-talk.ts';

export interface SoundsLike {
  readonly text: string;
  /** As RequestReader reads it; reading takes so long that it is not done for each. */
  readonly reading: Reading;
  /** As of soundDistances(). */
  readonly distance: number;
}

/** Of one example: its optional words make very many sentences of some. */
const MOST_OF_ONE = 300;
/** A number said as digits is heard by those who wait for one. */
const DIGITS = /\b(?:zero|one|two|three) (?:zero|one|two|three)\b/;

/** What may be said to an open question or to one for yes or no, to be compared by its sounds: some 8 ms for 2,500 sentences. */
export class SentencesBySound {
  readonly #sentences: readonly { text: string; reading: Reading; sounds: Sounds }[];
  readonly #sounds: readonly Sounds[];

  constructor(actions: readonly Action[]) {
    const readings = new Map<string, Reading>();
    const add = (text: string, reading: Reading) => {
      if (!readings.has(text) && !DIGITS.test(text)) readings.set(text, reading);
    };
    for (const { name, examples, parameters } of actions) {
      const slots = slotsFromSchema(parameters);
      for (const { text, slots: held } of some(examples, slots)) {
        add(text, { kind: 'requests', requests: [{ name, arguments: argumentsIn(held, slots) }] });
      }
    }
    for (const { id, templates } of commonSentences) {
      for (const { text } of some(templates, {})) add(text, { kind: 'talk', id });
    }
    for (const text of YES_PHRASES) add(text, { kind: 'yes' });
    for (const text of NO_PHRASES) add(text, { kind: 'no' });
    for (const { templates } of COMMANDS) for (const { text } of some(templates, {})) add(text, { kind: 'unclear' });
    const sounds = soundsOfAll([...readings.keys()]);
    this.#sentences = Array.from(readings, ([text, reading], i) => ({ text, reading, sounds: sounds[i]! })).sort(
      (a, b) => Buffer.compare(a.sounds, b.sounds),
    );
    this.#sounds = this.#sentences.map(({ sounds }) => sounds);
  }

  /** Those that stand in these words as they are, the longest first: of "uh verify me and current balance" the one and the other. */
  within(words: string): { text: string; reading: Reading }[] {
    const whole = ` ${words} `;
    return this.#sentences
      .filter(({ text }) => whole.includes(` ${text} `))
      .sort((a, b) => b.text.length - a.text.length);
  }

  /** All of them, the nearest first. */
  *nearest(heard: string): Generator<SoundsLike, void, void> {
    const distances = soundDistances(this.#sounds, soundsIn(heard));
    const order = Array.from(distances.keys()).sort((a, b) => distances[a]! - distances[b]!);
    for (const i of order) {
      const { text, reading } = this.#sentences[i]!;
      yield { text, reading, distance: distances[i]! };
    }
  }
}

function* some(templates: readonly string[], slots: Record<string, Slot>) {
  for (const template of templates) {
    let count = 0;
    for (const sentence of sentencesOf(parseTemplate(template), slots)) {
      yield sentence;
      if (++count === MOST_OF_ONE) break;
    }
  }
}

const known = new WeakMap<readonly Action[], SentencesBySound>();

/** Those of these actions; made once for each list, when they are first asked for (some 100 ms). */
export function bySound(actions: readonly Action[]): SentencesBySound {
  let sentences = known.get(actions);
  if (sentences === undefined) {
    sentences = new SentencesBySound(actions);
    known.set(actions, sentences);
  }
  return sentences;
}

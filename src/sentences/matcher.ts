import { type Automaton, automatonOf, type SpanSlot, Vocabulary } from './automaton.ts';
import { SMALL_NUMBERS, TENS } from './number-words.ts';
import type { Slot } from './slots.ts';
import { type Span, spansAt } from './spans.ts';
import { parseTemplate } from './template.ts';
import {
  FUNCTION_WEIGHT,
  insideCost,
  leadCosts,
  MISSING_SLOT_COST,
  missingCost,
  SLOT_MASS,
  tailCosts,
  unlikeness,
  wordWeight,
} from './word-costs.ts';
import { plainWordsOf } from './words.ts';

export interface MatchRule {
  id: string;
  templates: readonly string[];
  slots?: Record<string, Slot>;
  /** Templates for `<rule>` references. */
  expansions?: Record<string, string>;
}

export interface SentenceMatch {
  id: string;
  /** Values by slot: digits, a whole number, or a choice's value. Slots that were not said are absent. */
  slots: Record<string, string>;
  /** 0..1; 1 is the very words of a template. */
  score: number;
}

/** Below this a text is not understood. At it, about two thirds of the meaning is there for one third amiss. */
export const MATCH_THRESHOLD = 0.6;
/** Longer texts are cut: no request takes so many words. */
const MAX_WORDS = 80;

interface Captured {
  slot: string;
  value: string;
  before: Captured | undefined;
}

interface Prepared {
  rule: number;
  automaton: Automaton;
  /** Vocabulary numbers of which one must be heard; undefined where function words or a slot alone may do. */
  telling: readonly number[] | undefined;
}

/** What one text is compared with: computed once, used by every template. */
interface Heard {
  words: readonly string[];
  lead: readonly number[];
  tail: readonly number[];
  inside: readonly number[];
  /** By vocabulary number and position: unlikeness, or -1 for another word. */
  unlike: readonly Float32Array[];
  /** By vocabulary number: was this word heard anywhere? */
  known: readonly boolean[];
  spans: (slot: SpanSlot, at: number) => readonly Span[];
}

/**
 * Finds which rule a text says. A text is aligned with each template as cheaply as can be (dynamic programming over
 * words and states, so time grows with words times template length, never exponentially): words around the sentence
 * are cheap, fillers nearly free, misheard and missing words cost what they matter, a "not" that turns the sentence
 * round forbids the match. The score is what was matched against that plus what was amiss.
 * Among equal scores the first rule wins. Throws Failure code bad-template or unknown-slot for a rule that cannot work.
 */
export class SentenceMatcher {
  readonly #ids: string[];
  readonly #prepared: Prepared[] = [];
  readonly #vocabulary = new Vocabulary();
  /** By vocabulary number: what a word counts when it is heard, and what it costs when it is not. */
  readonly #weights: number[];
  readonly #missing: number[];

  constructor(rules: readonly MatchRule[]) {
    this.#ids = rules.map((rule) => rule.id);
    rules.forEach((rule, at) => {
      for (const source of rule.templates) {
        const template = parseTemplate(source, rule.expansions);
        this.#prepared.push({
          rule: at,
          automaton: automatonOf(template, rule.slots ?? {}, this.#vocabulary),
          telling: undefined,
        });
      }
    });
    const rulesWith = this.#vocabulary.words.map(() => new Set<string>());
    for (const { rule, automaton } of this.#prepared) {
      for (const edge of automaton.edges.flat()) if (edge.kind === 'word') rulesWith[edge.word]!.add(this.#ids[rule]!);
    }
    this.#weights = this.#vocabulary.words.map((word, at) => wordWeight(word, rulesWith[at]!.size));
    this.#missing = this.#vocabulary.words.map((word, at) => missingCost(word, this.#weights[at]!));
    for (const prepared of this.#prepared) prepared.telling = tellingWords(prepared.automaton, this.#weights);
  }

  /** The best rule for the text, or undefined when none reaches `threshold`. */
  match(text: string, threshold: number = MATCH_THRESHOLD): SentenceMatch | undefined {
    const heard = this.#hear(plainWordsOf(text).slice(0, MAX_WORDS));
    let best: { rule: number; score: number; captured: Captured | undefined } | undefined;
    if (heard.words.length === 0) return undefined;
    for (const { rule, automaton, telling } of this.#prepared) {
      if (telling?.every((word) => !heard.known[word])) continue;
      const found = align(automaton, heard, this.#weights, this.#missing);
      if (found !== undefined && found.score >= threshold && found.score > (best?.score ?? 0))
        best = { rule, ...found };
    }
    return best && { id: this.#ids[best.rule]!, slots: valuesOf(best.captured), score: best.score };
  }

  #hear(words: readonly string[]): Heard {
    const memo = new Map<SpanSlot, (readonly Span[] | undefined)[]>();
    const named = words.map(figureAsWord);
    const unlike = this.#vocabulary.words.map((expected) =>
      Float32Array.from(named, (word) => unlikeness(expected, word) ?? -1),
    );
    return {
      words,
      lead: leadCosts(words),
      tail: tailCosts(words),
      inside: words.map((_, at) => insideCost(words, at)),
      unlike,
      known: unlike.map((costs) => costs.some((cost) => cost >= 0)),
      spans: (slot, at) => {
        let known = memo.get(slot);
        if (known === undefined) {
          known = [];
          memo.set(slot, known);
        }
        const spans = known[at] ?? spansAt(words, at, slot);
        known[at] = spans;
        return spans;
      },
    };
  }
}

/** Without any of these words no more than "of the" could match, so the template need not be tried. */
function tellingWords({ edges }: Automaton, weights: readonly number[]): number[] | undefined {
  const all = edges.flat();
  const words = all.filter((edge) => edge.kind === 'word').map((edge) => edge.word);
  const telling = words.filter((word) => weights[word]! > FUNCTION_WEIGHT);
  return telling.length === 0 || all.some((edge) => edge.kind === 'span') ? undefined : telling;
}

/** "5" is "five" to a template that says so. */
function figureAsWord(word: string): string {
  if (!/^[1-9]?\d$/.test(word)) return word;
  const value = Number(word);
  return value < 20 ? SMALL_NUMBERS[value]! : value % 10 === 0 ? TENS[value / 10]! : word;
}

function valuesOf(captured: Captured | undefined): Record<string, string> {
  const values: Record<string, string> = {};
  for (let one = captured; one !== undefined; one = one.before) values[one.slot] ??= one.value;
  return values;
}

/** Cheapest way through the template: costs by word position and state, what was matched, and the slots on the way. */
function align(
  { edges, end }: Automaton,
  heard: Heard,
  weights: readonly number[],
  missing: readonly number[],
): { score: number; captured: Captured | undefined } | undefined {
  const length = heard.words.length;
  const states = edges.length;
  const cost = new Float64Array((length + 1) * states).fill(Number.POSITIVE_INFINITY);
  const mass = new Float64Array((length + 1) * states);
  const captures: (Captured | undefined)[] = new Array((length + 1) * states);
  let best: { score: number; captured: Captured | undefined } | undefined;

  const reach = (cell: number, newCost: number, newMass: number, captured: Captured | undefined) => {
    // Of two ways that cost the same, the one that explains more.
    if (newCost > cost[cell]! || (newCost === cost[cell]! && newMass <= mass[cell]!)) return;
    cost[cell] = newCost;
    mass[cell] = newMass;
    captures[cell] = captured;
  };

  for (let at = 0; at <= length; at++) {
    const column = at * states;
    reach(column, heard.lead[at]!, 0, undefined);
    for (let state = 0; state < states; state++) {
      const cell = column + state;
      const spent = cost[cell]!;
      if (spent === Number.POSITIVE_INFINITY) continue;
      const matched = mass[cell]!;
      const captured = captures[cell];
      for (const edge of edges[state]!) {
        const there = column + edge.to;
        if (edge.kind === 'skip') reach(there, spent, matched, captured);
        else if (edge.kind === 'missing') reach(there, spent + MISSING_SLOT_COST, matched, captured);
        else if (edge.kind === 'note') {
          reach(there, spent, matched, { slot: edge.slot, value: edge.value, before: captured });
        } else if (edge.kind === 'span') {
          for (const { next, value } of at < length ? heard.spans(edge.holds, at) : []) {
            const cellThere = next * states + edge.to;
            reach(cellThere, spent, matched + SLOT_MASS, { slot: edge.slot, value, before: captured });
          }
        } else {
          const weight = weights[edge.word]!;
          if (!edge.firm) reach(there, spent + missing[edge.word]!, matched, captured);
          if (at === length) continue;
          const unlike = heard.unlike[edge.word]![at]!;
          if (unlike >= 0) reach(there + states, spent + unlike * weight, matched + (1 - unlike) * weight, captured);
          else if (!edge.firm) {
            reach(there + states, spent + missing[edge.word]! + heard.inside[at]! / 2, matched, captured);
          }
        }
      }
      // A word too many, once the sentence has begun.
      if (state > 0 && at < length) reach(cell + states, spent + heard.inside[at]!, matched, captured);
    }
    const total = cost[column + end]! + heard.tail[at]!;
    const matched = mass[column + end]!;
    const score = matched / (matched + total);
    if (matched > 0 && score > (best?.score ?? 0)) best = { score, captured: captures[column + end] };
  }
  return best;
}

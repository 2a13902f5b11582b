import { isDeepStrictEqual } from 'node:util';
import { plainExample } from '../../sentences/expand.ts';
import { type Link, linksIn } from '../../sentences/joined.ts';
import { MATCH_THRESHOLD, SentenceMatcher } from '../../sentences/matcher.ts';
import { argumentsIn, type Slot, slotsFromSchema } from '../../sentences/slots.ts';
import { parseTemplate } from '../../sentences/template.ts';
import { yesNo } from '../../sentences/understand.ts';
import { plainWordsOf } from '../../sentences/words.ts';
import type { Action } from '../questions/action-desk.ts';
import { commonSentences, HARMLESS, QUESTIONS_TO_US, type SmallTalk } from './small-talk.ts';

export interface Request {
  name: string;
  arguments: Record<string, unknown>;
}

/** What a caller's words come down to. */
export type Reading =
  /** One request, or several that were made in one breath, in order; what was taken back is left out. */
  | { kind: 'requests'; requests: readonly Request[] }
  | { kind: 'talk'; id: SmallTalk }
  | { kind: 'yes' }
  | { kind: 'no' }
  /** Perhaps this, but not clearly enough to act on. */
  | { kind: 'maybe'; request: Request }
  | { kind: 'unclear' };

/** Each part of a manifold request must be this clear, or the whole is taken as one. */
const PART_THRESHOLD = 0.8;
/** More requests than this are not made in one breath. */
const MAX_PARTS = 4;
/** A whole that fits this well is one request, though it says "and". */
const WHOLE_THRESHOLD = 0.95;
/** Small talk that is a yes or a no all the same: "yes, thanks", "mm hmm". */
const SAID_WITH_YES: ReadonlySet<SmallTalk | undefined> = new Set<SmallTalk>(['thanks', 'hello', 'listening']);
/** Worth asking "did you mean". */
const MAYBE_THRESHOLD = 0.45;

/** Reads what callers say against the examples of the actions on offer and the sentences of small talk. */
export class RequestReader {
  readonly #actions: ReadonlyMap<string, Action>;
  readonly #slots: ReadonlyMap<string, Record<string, Slot>>;
  readonly #matcher: SentenceMatcher;
  /** An utterance in doubt is asked about several times at once, and a reading takes one to three milliseconds. */
  #last: { text: string; reading: Reading } | undefined;

  constructor(actions: readonly Action[]) {
    this.#actions = new Map(actions.map((action) => [action.name, action]));
    this.#slots = new Map(actions.map((action) => [action.name, slotsFromSchema(action.parameters)]));
    // Actions first: among equals a request counts more than small talk.
    this.#matcher = new SentenceMatcher([
      ...actions.map(({ name, examples }) => ({ id: name, templates: examples, slots: this.#slots.get(name)! })),
      ...commonSentences.map(({ id, templates }) => ({ id: `talk:${id}`, templates })),
    ]);
  }

  read(text: string): Reading {
    if (this.#last?.text !== text) {
      this.#last = { text, reading: this.#readAnew(text) };
      // There may be a secret in it, and the reader outlives the call.
      queueMicrotask(() => {
        this.#last = undefined;
      });
    }
    return this.#last.reading;
  }

  #readAnew(text: string): Reading {
    const best = this.#match(text, MAYBE_THRESHOLD);
    const several = best !== undefined && best.score >= WHOLE_THRESHOLD ? undefined : this.#readSeveral(text);
    if (several !== undefined) return { kind: 'requests', requests: several };
    const clear = best !== undefined && best.score >= MATCH_THRESHOLD;
    if (clear && best.request !== undefined) return { kind: 'requests', requests: [best.request] };
    const answer = yesNo(text);
    // "no thanks" is a no, "okay, stop" is not a yes; but "no, that's all" says more than no.
    if (answer !== undefined && (!clear || SAID_WITH_YES.has(best.talk))) return { kind: answer };
    if (clear && best.talk !== undefined) return { kind: 'talk', id: best.talk };
    return best?.request === undefined ? { kind: 'unclear' } : { kind: 'maybe', request: best.request };
  }

  /** The action that a text, such as a question we asked, clearly speaks of. */
  requestIn(text: string): Request | undefined {
    const best = this.#match(text, 0.75);
    return best?.request;
  }

  /** How a caller may ask for it, in the simplest words. */
  exampleOf(name: string): string {
    const example = this.#actions.get(name)?.examples[0];
    return example === undefined ? '' : plainExample(parseTemplate(example), this.#slots.get(name));
  }

  #match(text: string, threshold: number): { score: number; request?: Request; talk?: SmallTalk } | undefined {
    const found = this.#matcher.match(text, threshold);
    if (found === undefined) return undefined;
    if (found.id.startsWith('talk:')) return { score: found.score, talk: found.id.slice(5) as SmallTalk };
    const held = argumentsIn(found.slots, this.#slots.get(found.id)!);
    return { score: found.score, request: { name: found.id, arguments: held } };
  }

  /**
   * "Where is my card and what is my balance", "my balance, no, my last transactions": parted where every part is a
   * clear request by itself, in the way that fits best.
   */
  #readSeveral(text: string): Request[] | undefined {
    const words = plainWordsOf(text);
    const links = linksIn(words);
    if (links.length === 0) return undefined;
    const known = new Map<string, Part | undefined>();
    const part = (from: number, to: number): Part | undefined => {
      const key = `${from}-${to}`;
      if (!known.has(key)) {
        const found = this.#match(words.slice(from, to).join(' '), PART_THRESHOLD);
        known.set(key, found?.request && { score: found.score, request: found.request });
      }
      return known.get(key);
    };
    /** The best way to part what stands from `from` on, behind `before`. */
    const parted = (from: number, rest: readonly Link[], before: Way): Way | undefined => {
      const last = part(from, words.length);
      let best = last && joined(before, last);
      if (before.parts + 1 >= MAX_PARTS) return best;
      rest.forEach((link, at) => {
        const first = part(from, link.at);
        const way = first && parted(link.next, rest.slice(at + 1), { ...joined(before, first), link: link.kind });
        if (way && (best === undefined || mean(way) > mean(best))) best = way;
      });
      return best;
    };
    const way = parted(0, links, { parts: 0, score: 0, requests: [], link: 'and' });
    return way && way.parts > 1 ? way.requests : undefined;
  }
}

const readers = new WeakMap<readonly Action[], RequestReader>();

/** The reader for these actions; compiled once for each list. */
export function readerOf(actions: readonly Action[]): RequestReader {
  let reader = readers.get(actions);
  if (reader === undefined) {
    reader = new RequestReader(actions);
    readers.set(actions, reader);
  }
  return reader;
}

/** What a text clearly asks for, in order; empty when it is no request. */
export function requestsIn(text: string, actions: readonly Action[]): readonly Request[] {
  const reading = readerOf(actions).read(text);
  return reading.kind === 'requests' ? reading.requests : [];
}

/** As `requestsIn`, and also what callers ask of the bot itself, under the name of the small talk. */
export function askedIn(text: string, actions: readonly Action[]): readonly Request[] {
  const reading = readerOf(actions).read(text);
  if (reading.kind === 'talk' && QUESTIONS_TO_US.has(reading.id)) return [{ name: reading.id, arguments: {} }];
  return reading.kind === 'requests' ? reading.requests : [];
}

/** Nothing is lost when this was not said. Fewer words than three are what noise looks like. */
export function isHarmless(text: string, actions: readonly Action[]): boolean {
  const reading = readerOf(actions).read(text);
  return reading.kind === 'talk' && HARMLESS.has(reading.id) && plainWordsOf(text).length >= 3;
}

interface Part {
  score: number;
  request: Request;
}

/** Requests found so far, and how the next one is linked to them. */
interface Way {
  parts: number;
  score: number;
  requests: Request[];
  link: Link['kind'];
}

function joined({ parts, score, requests, link }: Way, next: Part): Way {
  const kept = link === 'instead' ? requests.slice(0, -1) : requests;
  const twice = kept.some((one) => isDeepStrictEqual(one, next.request));
  return {
    parts: parts + 1,
    score: score + next.score,
    requests: twice ? kept : [...kept, next.request],
    link,
  };
}

function mean({ parts, score }: Way): number {
  return score / parts;
}

import { plainExample } from '../../sentences/expand.ts';
import { MATCH_THRESHOLD, SentenceMatcher } from '../../sentences/matcher.ts';
import { type Slot, slotsFromSchema } from '../../sentences/slots.ts';
import { parseTemplate } from '../../sentences/template.ts';
import { yesNo } from '../../sentences/understand.ts';
import { plainWordsOf } from '../../sentences/words.ts';
import type { Action } from '../action-desk.ts';
import { commonSentences, type SmallTalk } from './small-talk.ts';

export interface Request {
  name: string;
  arguments: Record<string, unknown>;
}

/** What a caller's words come down to. */
export type Reading =
  /** One request, or two that were made in one breath. */
  | { kind: 'requests'; requests: readonly Request[] }
  | { kind: 'talk'; id: SmallTalk }
  | { kind: 'yes' }
  | { kind: 'no' }
  /** Perhaps this, but not clearly enough to act on. */
  | { kind: 'maybe'; request: Request }
  | { kind: 'unclear' };

/** Each half of a double request must be this clear, or the whole is taken as one. */
const HALF_THRESHOLD = 0.8;
/** A whole that fits this well is one request, though it says "and". */
const WHOLE_THRESHOLD = 0.95;
/** Worth asking "did you mean". */
const MAYBE_THRESHOLD = 0.45;
const CONNECTORS = new Set(['and', 'then', 'also', 'plus']);

/** Reads what callers say against the examples of the actions on offer and the sentences of small talk. */
export class RequestReader {
  readonly #actions: ReadonlyMap<string, Action>;
  readonly #slots: ReadonlyMap<string, Record<string, Slot>>;
  readonly #matcher: SentenceMatcher;

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
    const best = this.#match(text, MAYBE_THRESHOLD);
    const double = best !== undefined && best.score >= WHOLE_THRESHOLD ? undefined : this.#readDouble(text);
    if (double !== undefined) return { kind: 'requests', requests: double };
    const clear = best !== undefined && best.score >= MATCH_THRESHOLD;
    if (clear && best.request !== undefined) return { kind: 'requests', requests: [best.request] };
    const answer = yesNo(text);
    // "no thanks" is a no, "okay, stop" is not a yes; but "no, that's all" says more than no.
    if (answer !== undefined && (!clear || best.talk === 'thanks' || best.talk === 'hello')) return { kind: answer };
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
    return { score: found.score, request: { name: found.id, arguments: this.#argumentsOf(found.id, found.slots) } };
  }

  /** "Where is my card and what is my balance": parted where both halves are clear requests for different things. */
  #readDouble(text: string): Request[] | undefined {
    const words = plainWordsOf(text);
    let best: { score: number; requests: Request[] } | undefined;
    words.forEach((word, at) => {
      if (!CONNECTORS.has(word)) return;
      const first = this.#match(words.slice(0, at).join(' '), HALF_THRESHOLD);
      const second = this.#match(words.slice(at + 1).join(' '), HALF_THRESHOLD);
      if (!first?.request || !second?.request || first.request.name === second.request.name) return;
      const score = first.score + second.score;
      if (score > (best?.score ?? 0)) best = { score, requests: [first.request, second.request] };
    });
    return best?.requests;
  }

  #argumentsOf(name: string, slots: Record<string, string>): Record<string, unknown> {
    const kinds = this.#slots.get(name) ?? {};
    return Object.fromEntries(
      Object.entries(slots).map(([slot, value]) => [slot, kinds[slot]?.kind === 'number' ? Number(value) : value]),
    );
  }
}

import type { LanguageModel, ReplyPart, ReplyRequest } from './models/language-model.ts';
import type { ActionDesk } from './questions/action-desk.ts';
import { SentenceSplitter, sentencesOf } from './speaking/sentence-splitter.ts';

/** Parts worked out ahead at most; then the model waits to be asked for more. */
const MAX_PARTS = 64;

interface Draft {
  /** What the caller is taken to have said. */
  said: string;
  historyLength: number;
  parts: ReplyPart[];
  rest: AsyncIterator<ReplyPart>;
  stop: AbortController;
  /** The turn has come: no more is worked out ahead. */
  taken: boolean;
  error: unknown;
  /** Settles when nothing more is worked out ahead. */
  working: Promise<void>;
}

/**
 * Working ahead: while the caller pauses, the likely reply is drafted (model asked, its first sentence synthesized) and
 * thrown away when the caller goes on. A draft has no side effects: actions in it are not carried out before the turn
 * is certain; of those that only read, the desk may fetch the answer.
 */
export class Foresight {
  readonly #model: LanguageModel;
  readonly #desk: Pick<ActionDesk, 'foresee' | 'forget'>;
  readonly #prepare: (sentence: string) => void;
  #draft: Draft | undefined;

  constructor(model: LanguageModel, desk: Pick<ActionDesk, 'foresee' | 'forget'>, prepare: (sentence: string) => void) {
    this.#model = model;
    this.#desk = desk;
    this.#prepare = prepare;
  }

  /** Drafts the reply to `said`, unless that is being done already. `request` already ends with it. */
  begin(said: string, request: ReplyRequest): void {
    if (this.#draft?.said === said && this.#draft.historyLength === request.history.length) return;
    this.drop();
    const stop = new AbortController();
    const rest = this.#model.reply(request, stop.signal)[Symbol.asyncIterator]();
    const draft: Draft = {
      said,
      historyLength: request.history.length,
      parts: [],
      rest,
      stop,
      taken: false,
      error: undefined,
      working: Promise.resolve(),
    };
    draft.working = this.#work(draft);
    this.#draft = draft;
  }

  /** The draft of the reply to `said` as the model's reply, if there is one; then it is no draft any more. */
  take(said: string, historyLength: number, signal: AbortSignal): AsyncIterable<ReplyPart> | undefined {
    const draft = this.#draft;
    if (draft?.said !== said || draft.historyLength !== historyLength) {
      this.drop();
      return undefined;
    }
    this.#draft = undefined;
    draft.taken = true;
    return replay(draft, signal);
  }

  drop(): void {
    const draft = this.#draft;
    this.#draft = undefined;
    if (!draft) return;
    this.#desk.forget();
    draft.stop.abort();
    void draft.rest.return?.().catch(() => undefined);
  }

  async #work(draft: Draft): Promise<void> {
    const splitter = new SentenceSplitter();
    let spoken = 0;
    try {
      while (draft.parts.length < MAX_PARTS && !draft.taken && !draft.stop.signal.aborted) {
        const { value, done } = await draft.rest.next();
        if (done) {
          if (spoken === 0) for (const sentence of splitter.flush().slice(0, 1)) this.#prepare(sentence);
          return;
        }
        draft.parts.push(value);
        if (value.type === 'action') {
          const told = this.#desk.foresee(value.name, value.arguments);
          if (this.#model.tellsResultsAsGiven && spoken++ === 0)
            void told.then((say) => this.#prepareResult(draft, say));
        }
        // At another pace nothing that is made ready now would serve.
        if (value.type === 'speech-rate') spoken++;
        if (value.type !== 'text' || spoken > 0) continue;
        for (const sentence of splitter.push(value.text).slice(0, 1)) {
          spoken++;
          this.#prepare(sentence);
        }
      }
    } catch (error) {
      // Before the turn came: it asks again, and meets the failure itself.
      draft.error = error;
      if (this.#draft === draft) this.#draft = undefined;
    }
  }

  /** The bank has answered in time: its answer is what will be said first. */
  #prepareResult(draft: Draft, say: string | undefined): void {
    if (say === undefined || draft.stop.signal.aborted) return;
    for (const sentence of sentencesOf(say).slice(0, 1)) this.#prepare(sentence);
  }
}

async function* replay(draft: Draft, signal: AbortSignal): AsyncGenerator<ReplyPart, void, void> {
  const stop = () => draft.stop.abort();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    let told = 0;
    const tellKnown = function* () {
      while (told < draft.parts.length) yield draft.parts[told++]!;
    };
    yield* tellKnown();
    await draft.working;
    yield* tellKnown();
    if (draft.error !== undefined) throw draft.error;
    for (let next = await draft.rest.next(); !next.done; next = await draft.rest.next()) yield next.value;
  } finally {
    signal.removeEventListener('abort', stop);
    draft.stop.abort();
    void draft.rest.return?.().catch(() => undefined);
  }
}

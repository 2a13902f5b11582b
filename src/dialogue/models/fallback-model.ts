import type { Ms } from '../../core/clock.ts';
import { asFailure, Failure, isAbort } from '../../core/errors.ts';
import type { LanguageModel, ReplyPart, ReplyRequest } from './language-model.ts';

export interface FallbackOptions {
  /** No first part within this time: the second engine takes over in the same turn. */
  firstPartMs: Ms;
  /** No further part within this time. */
  stallMs: Ms;
  /** After a failure the first engine is left alone for this long, so that callers do not wait for it again. */
  restMs: Ms;
  now(): Ms;
  onFallback(failure: Failure): void;
}

/**
 * A language model that never leaves the caller without an answer: when `first` fails, stalls or starts too late, the
 * turn goes to `second`. What `first` already said stays said; an action it already called is already in the caller's
 * hands, so the step simply ends there and `second` serves the next one.
 */
export class FallbackModel implements LanguageModel {
  readonly name: string;
  readonly #first: LanguageModel;
  readonly #second: LanguageModel;
  readonly #options: FallbackOptions;
  #restUntil: Ms = Number.NEGATIVE_INFINITY;

  constructor(first: LanguageModel, second: LanguageModel, options: FallbackOptions) {
    this.#first = first;
    this.#second = second;
    this.#options = options;
    this.name = first.name;
  }

  async *reply(request: ReplyRequest, signal: AbortSignal): AsyncGenerator<ReplyPart, void, void> {
    if (this.#options.now() < this.#restUntil) {
      yield* this.#second.reply(request, signal);
      return;
    }
    const attempt = new AbortController();
    const stop = () => attempt.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    let sawAction = false;
    let saidSomething = false;
    const parts = this.#first.reply(request, attempt.signal)[Symbol.asyncIterator]();
    try {
      for (let limit = this.#options.firstPartMs; ; limit = this.#options.stallMs) {
        const step = await within(parts.next(), limit);
        if (step.done) break;
        sawAction ||= step.value.type === 'action';
        saidSomething ||= step.value.type !== 'text' || step.value.text.trim() !== '';
        yield step.value;
      }
      if (!saidSomething && !signal.aborted) {
        throw new Failure(`${this.#first.name} answered nothing`, {
          code: 'llm-empty',
          blame: 'engine',
          retryable: true,
        });
      }
    } catch (error) {
      if (signal.aborted || (isAbort(error) && !attempt.signal.aborted)) return;
      const failure = asFailure(error);
      this.#restUntil = this.#options.now() + this.#options.restMs;
      this.#options.onFallback(failure);
      attempt.abort(failure);
      if (!sawAction) yield* this.#second.reply(request, signal);
    } finally {
      signal.removeEventListener('abort', stop);
      attempt.abort();
      // Not awaited: an engine that hangs must not hold the turn.
      void parts.return?.(undefined).catch(() => undefined);
    }
  }

  health(): Promise<{ ok: boolean; detail?: string }> {
    return this.#first.health();
  }
}

async function within<T>(work: Promise<T>, limitMs: Ms): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new Failure(`no answer within ${limitMs} ms`, { code: 'llm-stalled', blame: 'engine', retryable: true }),
        ),
      limitMs,
    );
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

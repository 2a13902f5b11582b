import { untilAborted } from '../core/abortable.ts';
import type { Timekeeper } from '../core/alarm.ts';
import type { Ms } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Foresight } from './foresight.ts';
import type { HistoryItem, LanguageModel, ReplyPart, ReplyRequest } from './models/language-model.ts';
import type { ActionResult, ActionStep, Question } from './questions/action-desk.ts';
import type { Errands, RequestedAction, Step } from './questions/errands.ts';
import type { Delivery } from './speaking/delivery.ts';
import { Notices } from './speaking/notices.ts';
import type { Prompts } from './speaking/prompts.ts';
import { SentenceSplitter, sentencesOf } from './speaking/sentence-splitter.ts';
import type { RateChange } from './speaking/speech-rate.ts';
import type { Turn } from './turn.ts';

export interface RoundsOptions {
  errands: Errands;
  history: HistoryItem[];
  foresight: Foresight;
  delivery: Delivery;
  model: LanguageModel;
  prompts: Prompts;
  time: Timekeeper;
  log: Logger;
  /** What the model is asked when the conversation so far is `history`. */
  asked(history: HistoryItem[]): ReplyRequest;
  /** The caller's voice does not cut this turn from here on. */
  protect(turn: Turn): void;
  /** Tells the ears what comes next. */
  listenFor(question: Question | undefined): void;
  changeRate(change: RateChange): void;
  /** An action has settled; `unreported`: after the turn that asked for it was gone. */
  onSettled(unreported: boolean): void;
}

/** Rounds of model -> actions -> model within one turn; a model that keeps calling actions is stopped here. */
const MAX_ROUNDS = 5;
/** An action that takes longer gets a "one moment". */
const FILLER_AFTER_MS: Ms = 1500;

/** What happens inside a turn: the model speaks and asks for actions, the desk has questions, the model goes on. */
export class Rounds {
  readonly #o: RoundsOptions;
  readonly #notices = new Notices();
  #fillers = 0;
  /** Where the caller spoke last; keys tell nothing of it. */
  #noisy = false;

  constructor(options: RoundsOptions) {
    this.#o = options;
  }

  /** Model -> text and actions -> model, until it has nothing more to do. */
  async think(turn: Turn, round = 0): Promise<void> {
    const { delivery, history, time } = this.#o;
    const splitter = new SentenceSplitter();
    const actions: RequestedAction[] = [];
    let rateChanged = false;
    const notices = this.#notices.take(history);
    if (notices !== '') {
      this.#o.protect(turn);
      if (!(await delivery.sayAll(turn, sentencesOf(notices)))) return;
    }
    for await (const part of this.#reply(turn, notices)) {
      if (turn.signal.aborted) return;
      turn.token(time.now());
      if (part.type === 'action') actions.push(part);
      else if (part.type === 'end-call') turn.endsCall = true;
      else if (part.type === 'speech-rate') {
        rateChanged = true;
        this.#o.changeRate(part.rate);
      } else if (!(await delivery.sayAll(turn, splitter.push(part.text)))) return;
    }
    if (!(await delivery.sayAll(turn, splitter.flush()))) return;
    if (actions.length > 0) await this.act(turn, actions, [], round);
    else if (rateChanged && turn.text === '') await delivery.sayAll(turn, delivery.lastAnswer);
  }

  /** One action after the other, in the order they were asked for; `done` are those that are done, but not told. */
  async act(
    turn: Turn,
    actions: readonly RequestedAction[],
    done: readonly ActionResult[] = [],
    round = 0,
  ): Promise<void> {
    const untold = [...done];
    for (const [at, action] of actions.entries()) {
      const step = await this.#await(turn, this.#o.errands.request(action, actions.slice(at + 1)));
      if (!step || !(await this.#step(turn, step, untold))) return;
      untold.push(resultOf(step));
    }
    if (round + 1 < MAX_ROUNDS) await this.think(turn, round + 1);
    else this.#o.log.warn({ rounds: MAX_ROUNDS }, 'language model kept calling actions; turn ended');
  }

  /** Goes on with an action: `work` is the desk's next step, `then` what was asked for together with it. */
  async proceed(turn: Turn, work: Promise<Step>, then: readonly RequestedAction[]): Promise<void> {
    const step = await this.#await(turn, work);
    if (step && (await this.#step(turn, step, []))) await this.act(turn, then, [resultOf(step)]);
  }

  /** Puts a question to the caller. */
  async put(turn: Turn, question: Question, prompt: string): Promise<void> {
    this.#o.listenFor(question);
    turn.question = question;
    if (question.mustBeHeard) this.#o.protect(turn);
    await this.#o.delivery.sayAll(turn, [...sentencesOf(prompt), ...this.#keysFor(turn, question)]);
  }

  /** Who speaks from a noisy place is told of the keypad at once; a read-back ends with its own question. */
  #keysFor(turn: Turn, { expects, mustBeHeard }: Question): string[] {
    const { prompts } = this.#o;
    this.#noisy = turn.answers?.noisy ?? this.#noisy;
    if (!this.#noisy || mustBeHeard || expects.kind === 'choice') return [];
    return [expects.kind === 'digits' ? prompts.numberByKeys : prompts.yesNoByKeys];
  }

  /** `told`: what this turn has said already of what the model is asked about. */
  #reply(turn: Turn, told: string): AsyncIterable<ReplyPart> {
    const { asked, foresight, history, model } = this.#o;
    const last = history.at(-1);
    const draft = last?.role === 'caller' ? foresight.take(last.text, history.length, turn.signal) : undefined;
    const said: HistoryItem[] = told === '' ? [] : [{ role: 'assistant', text: told, interrupted: false }];
    return draft ?? model.reply(asked([...history, ...said]), turn.signal);
  }

  /** True when the action is done; false when its question was put to the caller, behind what there is to tell. */
  async #step(turn: Turn, step: ActionStep, untold: readonly ActionResult[]): Promise<boolean> {
    if (step.kind === 'done') {
      this.#o.listenFor(undefined);
      return true;
    }
    const news = untold.flatMap(({ say }) => sentencesOf(say));
    if (await this.#o.delivery.sayAll(turn, news)) await this.put(turn, step.question, step.question.prompt);
    return false;
  }

  /** Waits for an action, with a word to the caller when it takes long. The action outlives the turn. */
  async #await(turn: Turn, work: Promise<Step>): Promise<Step> {
    const { delivery, log, onSettled, prompts } = this.#o;
    const filler = setTimeout(() => {
      const { oneMoment } = prompts;
      const wait = oneMoment[this.#fillers++ % oneMoment.length]!;
      if (!turn.signal.aborted) void delivery.say(turn, wait, true).catch(() => false);
    }, FILLER_AFTER_MS);
    work.then(
      (step) => onSettled(step !== undefined && turn.signal.aborted),
      (error) => {
        if (turn.signal.aborted) log.error({ err: error }, 'action failed after its turn');
      },
    );
    try {
      return await untilAborted(work, turn.signal);
    } finally {
      clearTimeout(filler);
    }
  }
}

function resultOf(step: ActionStep): ActionResult {
  if (step.kind !== 'done') throw new Error('a question is no result');
  return step.result;
}

import { untilAborted } from '../core/abortable.ts';
import type { Timekeeper } from '../core/alarm.ts';
import type { Ms } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Scope } from '../core/scope.ts';
import type { Heard } from '../media/ports.ts';
import type { ActionDesk, ActionResult, ActionStep, Question } from './action-desk.ts';
import type { Announcement } from './announcements.ts';
import { Delivery } from './delivery.ts';
import type { Errands, OpenQuestion, RequestedAction, Step } from './errands.ts';
import { Foresight } from './foresight.ts';
import type { HistoryItem, LanguageModel, ReplyPart, ReplyRequest } from './language-model.ts';
import type { Utterance } from './listener.ts';
import { Notices } from './notices.ts';
import type { Prompts } from './prompts.ts';
import { SentenceSplitter, sentencesOf } from './sentence-splitter.ts';
import { RATE_NOTES, type RateChange } from './speech-rate.ts';
import { Turn } from './turn.ts';
import type { Ear, Scribe, Voice } from './voice.ts';

export interface AssistantOptions {
  scope: Scope;
  time: Timekeeper;
  log: Logger;
  instructions: string;
  prompts: Prompts;
  model: LanguageModel;
  desk: ActionDesk;
  voice: Voice;
  ear: Ear;
  scribe: Scribe;
}

export interface AssistantEffects {
  /** Resolves when the caller is not speaking; a reply does not begin over the caller's voice. */
  callerQuiet(signal: AbortSignal): Promise<void>;
  /** A turn was said to its end. */
  onTurnOver(turn: Turn, heard: Heard): void;
  /** A turn was cut before its end. */
  onCut(turn: Turn): void;
  /** An action has settled; `unreported`: after the turn that asked for it was gone. */
  onSettled(unreported: boolean): void;
}

/** Rounds of model -> actions -> model within one turn; a model that keeps calling actions is stopped here. */
const MAX_ROUNDS = 5;
/** An action that takes longer gets a "one moment". */
const FILLER_AFTER_MS: Ms = 1500;

/**
 * The assistant's side of the conversation: one turn at a time, each a task under its own signal. Interrupting is:
 * abort the signal, cut the playout, write down what was heard.
 */
export class Assistant {
  readonly #o: AssistantOptions;
  readonly #effects: AssistantEffects;
  readonly #errands: Errands;
  readonly #history: HistoryItem[];
  readonly #foresight: Foresight;
  readonly #delivery: Delivery;
  #turn: Turn | undefined;
  #turns = 0;
  #fillers = 0;
  readonly #notices = new Notices();

  constructor(options: AssistantOptions, errands: Errands, history: HistoryItem[], effects: AssistantEffects) {
    this.#o = options;
    this.#errands = errands;
    this.#history = history;
    this.#effects = effects;
    this.#delivery = new Delivery({
      voice: options.voice,
      time: options.time,
      callerQuiet: (signal) => effects.callerQuiet(signal),
    });
    this.#foresight = new Foresight(options.model, options.desk, (sentence) => this.#delivery.prepare(sentence));
    options.scope.onClose('foresight', () => this.#foresight.drop());
  }

  /** The turn that is being prepared or spoken. */
  get turn(): Turn | undefined {
    return this.#turn;
  }

  /** Turns begun so far. */
  get turns(): number {
    return this.#turns;
  }

  /** The caller pauses after `said`, which may be all: drafts the reply. Nothing is carried out yet. */
  foresee(said: string): void {
    if (!this.#turn) this.#foresight.begin(said, this.#request([...this.#history, { role: 'caller', text: said }]));
  }

  /** The caller went on: the draft is for nothing. */
  forget(): void {
    this.#foresight.drop();
  }

  /** From the next sentence on. */
  changeRate(change: RateChange): void {
    this.#delivery.changeRate(change);
    this.#o.scribe.event('speech-rate', { change, rate: this.#delivery.rate });
    this.#history.push({ role: 'system', text: RATE_NOTES[change] });
  }

  // --- what a turn can be --------------------------------------------------------------------------------------

  /** Fixed sentences. */
  speak(sentences: readonly string[], answers?: Utterance, farewell = false): void {
    this.#start('prompt', answers, async (turn) => {
      turn.endsCall = farewell;
      await this.#delivery.sayAll(turn, sentences);
    });
  }

  /** What somebody else wants said; cuts what is being said, which then was not the caller's doing. */
  announce(announcement: Announcement): void {
    if (this.#turn) this.interrupt(this.#o.time.now(), undefined, 'system');
    const say = async (turn: Turn) => {
      if (!announcement.interruptible) this.#protect(turn);
      await this.#delivery.sayAll(turn, sentencesOf(announcement.text));
    };
    this.#start('say:api', undefined, say, announcement);
  }

  /** The last words, heard to their end whatever the caller does; then the call is over. */
  bidGoodbye(sentences: readonly string[]): void {
    this.interrupt(this.#o.time.now(), undefined, 'system');
    this.#start('prompt', undefined, async (turn) => {
      turn.endsCall = true;
      this.#protect(turn);
      await this.#delivery.sayAll(turn, sentences);
    });
  }

  /** The language model's answer to what the history ends with. */
  think(answers?: Utterance): void {
    this.#start(this.#o.model.name, answers, (turn) => this.#think(turn, 0));
  }

  /** Puts a question to the caller. */
  ask(question: Question, prompt: string, answers?: Utterance): void {
    this.#start('prompt', answers, (turn) => this.#put(turn, question, prompt));
  }

  /** Asks the desk for an action without the language model. */
  act(action: RequestedAction, answers?: Utterance): void {
    this.#start('prompt', answers, (turn) => this.#act(turn, [action], 0));
  }

  /**
   * Goes on with an action whose question has been answered, or put off: `work` is the desk's next step, `then` what
   * was asked for together with it.
   */
  proceed(work: Promise<Step>, { then }: Pick<OpenQuestion, 'then'>, answers?: Utterance): void {
    this.#start('prompt', answers, async (turn) => {
      const step = await this.#await(turn, work);
      if (step && (await this.#step(turn, step, []))) await this.#act(turn, then, 0, [resultOf(step)]);
    });
  }

  // --- the life of a turn --------------------------------------------------------------------------------------

  #start(
    source: string,
    answers: Utterance | undefined,
    body: (turn: Turn) => Promise<void>,
    announcement?: Announcement,
  ): void {
    if (this.#turn) this.interrupt(this.#o.time.now());
    const id = ++this.#turns;
    const turn = new Turn(id, this.#o.scope.child(`turn ${id}`), source, this.#o.time.now(), answers, announcement);
    this.#turn = turn;
    this.#o.voice.begin(id);
    this.#o.voice.armBargeIn(true);
    void this.#o.scope.run(`turn ${id}`, () => this.#run(turn, body));
  }

  async #run(turn: Turn, body: (turn: Turn) => Promise<void>): Promise<void> {
    try {
      await body(turn);
    } catch (error) {
      if (turn.signal.aborted) return;
      this.#o.log.error({ err: error }, 'turn failed');
      this.#o.scribe.event('turn-failed', { message: error instanceof Error ? error.message : String(error) });
      await this.#delivery.say(turn, this.#o.prompts.apology, true).catch(() => false);
    }
    if (turn.signal.aborted) return;
    const heard = await untilAborted(this.#o.voice.finish(turn.id), turn.signal);
    if (!heard || turn.over) return;
    turn.over = true;
    this.#turn = undefined;
    void turn.scope.close();
    this.#delivery.ended(turn);
    if (turn.text !== '') {
      this.#history.push(said(turn, heard.text, !heard.complete));
      this.#o.scribe.utterance(turn.utterance(heard, heard.lastSentAt ?? this.#o.time.now()));
    }
    if (turn.question && heard.complete) this.#errands.heard(turn.question);
    this.#effects.onTurnOver(turn, heard);
  }

  /**
   * Abort the signal, cut the playout, write down what was heard: in this order, and nothing is waited for.
   * `spokeAt`: the caller's first voiced window. `heardSoFar`: the worker's account, when it paused the bot already.
   * `by` the system: something else is to be said instead.
   */
  interrupt(spokeAt: Ms, heardSoFar?: Heard, by: 'caller' | 'system' = 'caller'): void {
    const turn = this.#turn;
    if (!turn || turn.over) return;
    turn.over = true;
    this.#turn = undefined;
    void turn.scope.close();
    const cut = this.#o.voice.cut(turn.id);
    this.#delivery.ended(turn);
    this.#effects.onCut(turn);
    if (turn.text === '') return;
    const wasAudible = turn.audible;
    const item = said(turn, heardSoFar?.text ?? '', true);
    // What was never heard was never said.
    if (wasAudible) this.#history.push(item);
    if (by === 'caller') this.#o.scribe.event('barge-in', { turn: turn.id, heardMs: heardSoFar?.playedMs });
    else this.#o.scribe.event('replaced', { turn: turn.id, utteranceId: turn.key });
    // The worker's final account replaces ours when it arrives, some hundred microseconds later. Both stamps are its own.
    void cut.then((heard) => {
      const sound = by === 'caller' ? heard.lastSoundAt : undefined;
      // A bot that drew breath when the caller began had nothing to silence.
      const silentMs = sound !== undefined && sound > spokeAt ? sound - spokeAt : undefined;
      item.text = heard.text;
      item.interrupted = !heard.complete;
      this.#o.scribe.utterance(turn.utterance(heard, heard.lastSentAt, silentMs));
    });
  }

  // --- what a turn does ----------------------------------------------------------------------------------------

  /** Model -> text and actions -> model, until it has nothing more to do. */
  async #think(turn: Turn, round: number): Promise<void> {
    const splitter = new SentenceSplitter();
    const actions: RequestedAction[] = [];
    let rateChanged = false;
    const notices = this.#notices.take(this.#history);
    if (notices !== '') {
      this.#protect(turn);
      if (!(await this.#delivery.sayAll(turn, sentencesOf(notices)))) return;
    }
    for await (const part of this.#reply(turn, notices)) {
      if (turn.signal.aborted) return;
      turn.token(this.#o.time.now());
      if (part.type === 'action') actions.push(part);
      else if (part.type === 'end-call') turn.endsCall = true;
      else if (part.type === 'speech-rate') {
        rateChanged = true;
        this.changeRate(part.rate);
      } else if (!(await this.#delivery.sayAll(turn, splitter.push(part.text)))) return;
    }
    if (!(await this.#delivery.sayAll(turn, splitter.flush()))) return;
    if (actions.length > 0) await this.#act(turn, actions, round);
    else if (rateChanged && turn.text === '') await this.#delivery.sayAll(turn, this.#delivery.lastAnswer);
  }

  /** `told`: what this turn has said already of what the model is asked about. */
  #reply(turn: Turn, told: string): AsyncIterable<ReplyPart> {
    const last = this.#history.at(-1);
    const draft =
      last?.role === 'caller' ? this.#foresight.take(last.text, this.#history.length, turn.signal) : undefined;
    const said: HistoryItem[] = told === '' ? [] : [{ role: 'assistant', text: told, interrupted: false }];
    return draft ?? this.#o.model.reply(this.#request([...this.#history, ...said]), turn.signal);
  }

  #request(history: HistoryItem[]): ReplyRequest {
    return { instructions: this.#o.instructions, history, actions: this.#o.desk.actions };
  }

  /** One action after the other, in the order they were asked for; `done` are those that are done, but not told. */
  async #act(
    turn: Turn,
    actions: readonly RequestedAction[],
    round: number,
    done: readonly ActionResult[] = [],
  ): Promise<void> {
    const untold = [...done];
    for (const [at, action] of actions.entries()) {
      const step = await this.#await(turn, this.#errands.request(action, actions.slice(at + 1)));
      if (!step || !(await this.#step(turn, step, untold))) return;
      untold.push(resultOf(step));
    }
    if (round + 1 < MAX_ROUNDS) await this.#think(turn, round + 1);
    else this.#o.log.warn({ rounds: MAX_ROUNDS }, 'language model kept calling actions; turn ended');
  }

  /** True when the action is done; false when its question was put to the caller, behind what there is to tell. */
  async #step(turn: Turn, step: ActionStep, untold: readonly ActionResult[]): Promise<boolean> {
    if (step.kind === 'done') {
      this.listenFor(undefined);
      return true;
    }
    if (
      !(await this.#delivery.sayAll(
        turn,
        untold.flatMap(({ say }) => sentencesOf(say)),
      ))
    )
      return false;
    await this.#put(turn, step.question, step.question.prompt);
    return false;
  }

  async #put(turn: Turn, question: Question, prompt: string): Promise<void> {
    this.listenFor(question);
    turn.question = question;
    if (question.mustBeHeard) this.#protect(turn);
    await this.#delivery.sayAll(turn, sentencesOf(prompt));
  }

  /** The caller's voice does not cut this turn. */
  #protect(turn: Turn): void {
    turn.mustBeHeard = true;
    this.#o.voice.armBargeIn(false);
  }

  /** Tells the ears what comes next, and keeps a secret out of the recording. */
  listenFor(question: Question | undefined): void {
    this.#o.ear.expect(question ? { ...question.expects, secret: question.secret } : { kind: 'request' });
    this.#o.ear.mask(question?.secret ?? false);
  }

  /** Waits for an action, with a word to the caller when it takes long. The action outlives the turn. */
  async #await(turn: Turn, work: Promise<Step>): Promise<Step> {
    const filler = setTimeout(() => {
      const { oneMoment } = this.#o.prompts;
      const wait = oneMoment[this.#fillers++ % oneMoment.length]!;
      if (!turn.signal.aborted) void this.#delivery.say(turn, wait, true).catch(() => false);
    }, FILLER_AFTER_MS);
    work.then(
      (step) => this.#effects.onSettled(step !== undefined && turn.signal.aborted),
      (error) => {
        if (turn.signal.aborted) this.#o.log.error({ err: error }, 'action failed after its turn');
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

function said(turn: Turn, text: string, interrupted: boolean): Extract<HistoryItem, { role: 'assistant' }> {
  return { role: 'assistant', text, interrupted, ...(turn.announcement && { announcement: true as const }) };
}

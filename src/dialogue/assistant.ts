import { untilAborted } from '../core/abortable.ts';
import type { Timekeeper } from '../core/alarm.ts';
import type { Ms } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Scope } from '../core/scope.ts';
import type { Heard } from '../media/ports.ts';
import { Foresight } from './foresight.ts';
import type { HistoryItem, LanguageModel, ReplyRequest } from './models/language-model.ts';
import type { ActionDesk, Question } from './questions/action-desk.ts';
import type { Errands, OpenQuestion, RequestedAction, Step } from './questions/errands.ts';
import { Rounds } from './rounds.ts';
import type { Announcement } from './speaking/announcements.ts';
import { Delivery } from './speaking/delivery.ts';
import type { Prompts } from './speaking/prompts.ts';
import { sentencesOf } from './speaking/sentence-splitter.ts';
import { RATE_NOTES, type RateChange } from './speaking/speech-rate.ts';
import type { Ear, Expectation, Scribe, Voice } from './speaking/voice.ts';
import { Turn } from './turn.ts';
import type { Utterance } from './turn-taking/listener.ts';

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
  readonly #rounds: Rounds;
  #turn: Turn | undefined;
  #turns = 0;

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
    options.scope.onClose('last turn', () => this.#breakOff());
    this.#rounds = new Rounds({
      errands,
      history,
      foresight: this.#foresight,
      delivery: this.#delivery,
      model: options.model,
      prompts: options.prompts,
      time: options.time,
      log: options.log,
      asked: (all) => this.#request(all),
      protect: (turn) => this.#protect(turn),
      listenFor: (question) => this.listenFor(question),
      changeRate: (change) => this.changeRate(change),
      onSettled: (unreported) => effects.onSettled(unreported),
    });
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
    this.#start(this.#o.model.name, answers, (turn) => this.#rounds.think(turn));
  }

  /** Puts a question to the caller. */
  ask(question: Question, prompt: string, answers?: Utterance): void {
    this.#start('prompt', answers, (turn) => this.#rounds.put(turn, question, prompt));
  }

  /** Asks the desk for an action without the language model, behind `words`. */
  act(action: RequestedAction, answers?: Utterance, words = ''): void {
    this.#start('prompt', answers, async (turn) => {
      if (await this.#delivery.sayAll(turn, sentencesOf(words))) await this.#rounds.act(turn, [action]);
    });
  }

  /**
   * Goes on with an action whose question has been answered, or put off: `work` is the desk's next step, `then` what
   * was asked for together with it.
   */
  proceed(work: Promise<Step>, { then }: Pick<OpenQuestion, 'then'>, answers?: Utterance): void {
    this.#start('prompt', answers, (turn) => this.#rounds.proceed(turn, work, then));
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

  /** The call is over in the middle of a turn: what the caller heard of it is written down before the media goes. */
  async #breakOff(): Promise<void> {
    const turn = this.#turn;
    if (!turn || turn.over) return;
    turn.over = true;
    this.#turn = undefined;
    const heard = await this.#o.voice.cut(turn.id);
    // What was never heard was never said.
    if (turn.text === '' || !turn.audible) return;
    this.#history.push(said(turn, heard.text, !heard.complete));
    this.#o.scribe.utterance(turn.utterance(heard, heard.lastSentAt));
  }

  // --- what a turn changes -------------------------------------------------------------------------------------

  /** Tells the ears what comes next, and keeps a secret out of the recording. `given`: digits said already. */
  listenFor(question: Question | undefined, given = 0): void {
    this.#o.ear.expect(question ? expectationOf(question, given) : { kind: 'request' });
    this.#o.ear.mask(question?.secret ?? false);
  }

  /** The caller's voice does not cut this turn. */
  #protect(turn: Turn): void {
    turn.mustBeHeard = true;
    this.#o.voice.armBargeIn(false);
  }

  #request(history: HistoryItem[]): ReplyRequest {
    return { instructions: this.#o.instructions, history, actions: this.#o.desk.actions };
  }
}

function expectationOf({ expects, secret }: Question, given: number): Expectation {
  if (expects.kind !== 'digits' || given === 0) return { ...expects, secret };
  return { ...expects, missing: expects.length - given, secret };
}

function said(turn: Turn, text: string, interrupted: boolean): Extract<HistoryItem, { role: 'assistant' }> {
  return { role: 'assistant', text, interrupted, ...(turn.announcement && { announcement: true as const }) };
}

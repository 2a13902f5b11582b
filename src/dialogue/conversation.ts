import { untilAborted } from '../core/abortable.ts';
import type { Alarm, Timekeeper } from '../core/alarm.ts';
import type { Ms } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Scope } from '../core/scope.ts';
import type { Heard, MediaEvent } from '../media/ports.ts';
import type { ActionDesk, ActionStep, Question } from './action-desk.ts';
import { readAnswer } from './answers.ts';
import { BargeIn, DEFAULT_BARGE_IN } from './barge-in.ts';
import { DIGITS, type EndpointingOptions, OPEN_REQUEST, YES_NO } from './endpointing.ts';
import { Errands, type OpenQuestion } from './errands.ts';
import { DEFAULT_IDLE, Idle, type IdleOptions } from './idle.ts';
import { Keypad } from './keypad.ts';
import type { HistoryItem, LanguageModel } from './language-model.ts';
import { Listener, type Utterance } from './listener.ts';
import type { Prompts } from './prompts.ts';
import { SentenceSplitter } from './sentence-splitter.ts';
import { Turn } from './turn.ts';
import type { Ear, Expectation, Scribe, Transcript, Voice } from './voice.ts';

export type ConversationEnd = 'bot-goodbye' | 'silence-farewell';

export interface ConversationOptions {
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
  idle?: IdleOptions;
  /** The conversation is over and its last word has been sent. */
  onEnd(end: ConversationEnd): void;
}

/** Rounds of model -> actions -> model within one turn; a model that keeps calling actions is stopped here. */
const MAX_ROUNDS = 5;
/** An action that takes longer gets a "one moment". */
const FILLER_AFTER_MS: Ms = 1500;
const MISSES_BEFORE_GIVING_UP = 3;
/** Stands in the history for speech that fits nothing. */
export const UNINTELLIGIBLE = '[unintelligible]';

/**
 * One conversation: the caller's utterances in, the assistant's turns out. Owns the history, the open question and
 * the current turn. Everything that reaches it is synchronous; turns run as tasks of the call's scope, each under its
 * own signal, so interrupting is: abort the signal, cut the playout, write down what was heard.
 */
export class Conversation {
  readonly history: HistoryItem[] = [];
  readonly #o: ConversationOptions;
  readonly #listener: Listener;
  readonly #errands: Errands;
  readonly #idle: Idle;
  readonly #keypad = new Keypad();
  readonly #alarm: Alarm;
  #turn: Turn | undefined;
  #turns = 0;
  #pause: { verdict: BargeIn; turn: Turn; heard: Heard; at: Ms } | undefined;
  /** Woken when the caller stops speaking. */
  #onCallerQuiet: (() => void)[] = [];
  /** An action settled, or has a question, after its turn was interrupted. */
  #unreported = false;
  #earlyYes = false;
  #fillers = 0;

  constructor(options: ConversationOptions) {
    this.#o = options;
    this.#errands = new Errands(options.desk, options.scribe, this.history);
    this.#idle = new Idle(options.idle ?? DEFAULT_IDLE);
    this.#alarm = options.time.alarm(() => this.#tick());
    this.#listener = new Listener({
      endpointing: () => endpointingFor(this.#errands.open?.question),
      endSegment: () => options.ear.endSegment(),
      onUtterance: (utterance) => this.#onUtterance(utterance),
    });
    options.scope.onClose('conversation alarm', () => this.#alarm.set(undefined));
  }

  /** Greets the caller. */
  start(): void {
    this.#o.ear.expect({ kind: 'request' });
    this.#speak('prompt', [this.#o.prompts.greeting]);
  }

  onMedia(event: MediaEvent): void {
    if (this.#o.scope.closed) return;
    switch (event.type) {
      case 'speech-start':
        this.#idle.callerActive();
        this.#listener.speechStart(event.at, event.segment);
        this.#pause?.verdict.speechStart();
        break;
      case 'speech-end':
        this.#listener.speechEnd(event.at, event.segment);
        this.#pause?.verdict.speechEnd(event.at);
        break;
      case 'barge-in':
        if (this.#turn?.id === event.turn) {
          this.#pause = {
            verdict: new BargeIn(DEFAULT_BARGE_IN, event.at),
            turn: this.#turn,
            heard: event.heard,
            at: event.at,
          };
        }
        break;
      case 'playout-started':
        if (this.#turn?.id === event.turn) {
          this.#turn.packet(event.at);
          this.#o.scribe.utterance(this.#turn.utterance(undefined));
        }
        break;
      case 'dtmf':
        this.#onKey(event.digit, event.at);
        break;
      default:
        return;
    }
    this.#tick();
  }

  /** DTMF that came through signalling (SIP INFO). */
  onKey(digit: string): void {
    if (this.#o.scope.closed) return;
    this.#onKey(digit, this.#o.time.now());
    this.#tick();
  }

  onTranscript(result: Transcript): void {
    if (this.#o.scope.closed) return;
    if (result.kind === 'partial') this.#pause?.verdict.partial(result.text);
    this.#listener.transcript(result);
    this.#tick();
  }

  /** Everything that only time can decide, then the alarm for the next such moment. */
  #tick(): void {
    if (this.#o.scope.closed) return;
    const now = this.#o.time.now();
    this.#judgePause(now);
    this.#listener.due(now);
    const keyed = this.#keypad.deadline();
    if (keyed !== undefined && now >= keyed) this.#onKeyed(this.#keypad.take());
    if (!this.#listener.speaking) for (const wake of this.#onCallerQuiet.splice(0)) wake();
    this.#watchSilence(now);
    const next = [
      this.#pause?.verdict.deadline(),
      this.#listener.deadline(),
      this.#keypad.deadline(),
      this.#idle.deadline(),
    ];
    const soonest = Math.min(...next.filter((at) => at !== undefined));
    this.#alarm.set(Number.isFinite(soonest) ? soonest : undefined);
  }

  #judgePause(now: Ms): void {
    const pause = this.#pause;
    if (!pause) return;
    const verdict = pause.verdict.verdict(now);
    if (verdict === 'undecided') return;
    this.#pause = undefined;
    if (verdict === 'resume') {
      this.#o.scribe.event('barge-in-ignored', { afterMs: Math.round(now - pause.at) });
      this.#o.voice.resume(pause.turn.id);
    } else {
      this.#interrupt(pause.turn, pause.heard, pause.at);
    }
  }

  #watchSilence(now: Ms): void {
    if (this.#listener.active || this.#turn || this.#errands.running || !this.#keypad.empty) {
      this.#idle.busy();
      return;
    }
    if (this.#unreported) {
      this.#unreported = false;
      this.#resumeErrand();
      return;
    }
    this.#idle.quiet(now);
    const step = this.#idle.due(now);
    if (step === 'still-there') {
      const { stillThere } = this.#o.prompts;
      const open = this.#errands.open;
      this.#speak('prompt', [stillThere[this.#turns % stillThere.length]!, ...(open ? [open.question.reprompt] : [])]);
    } else if (step === 'farewell') {
      this.#o.scribe.event('silence-farewell');
      this.#startTurn(
        'prompt',
        undefined,
        async (turn) => {
          turn.endsCall = true;
          await this.#say(turn, this.#o.prompts.farewell);
        },
        'silence-farewell',
      );
    }
  }

  // --- the caller's side ---------------------------------------------------------------------------------------

  #onUtterance(utterance: Utterance): void {
    this.#idle.callerActive();
    const open = this.#errands.open;
    const understood = utterance.text !== '' && !utterance.rejected;
    if (!understood && !utterance.rejected && this.#turn) return; // a noise while the bot speaks or thinks
    const said = understood ? utterance.text : '';
    if (open) {
      this.#onAnswer(open, said, 'speech', utterance);
      return;
    }
    const text = [this.#unanswered(), said].filter(Boolean).join(' ') || UNINTELLIGIBLE;
    if (this.#turn) this.#interrupt(this.#turn, undefined, utterance.startedAt);
    this.#note(said || UNINTELLIGIBLE, utterance, 'speech');
    this.#request(text, utterance);
  }

  /**
   * The caller went on before anything of the answer was heard: the endpoint was wrong, and what was said before is
   * the beginning of what is said now. Takes it back from the history.
   */
  #unanswered(): string {
    const last = this.history.at(-1);
    if (!this.#turn?.answers || this.#turn.audible || last?.role !== 'caller') return '';
    this.history.pop();
    return last.text === UNINTELLIGIBLE ? '' : last.text;
  }

  #request(text: string, utterance: Utterance | undefined): void {
    this.#unreported = false;
    this.history.push({ role: 'caller', text });
    this.#startTurn(this.#o.model.name, utterance, (turn) => this.#think(turn));
  }

  #onAnswer(open: OpenQuestion, said: string, source: 'speech' | 'dtmf', utterance: Utterance | undefined): void {
    const { question } = open;
    const answer = readAnswer(question, said, open.digits);
    const playing = this.#turn;
    if (playing?.mustBeHeard && (answer.kind === 'value' ? answer.value !== 'no' : answer.kind === 'unclear')) {
      // A yes before the read-back was heard is no yes; it is asked again once the prompt is over.
      this.#earlyYes = answer.kind === 'value';
      return;
    }
    if (playing) this.#interrupt(playing, undefined, utterance?.startedAt ?? this.#o.time.now());
    this.#note(maskedAnswer(question, answer.kind, said), utterance, source);
    switch (answer.kind) {
      case 'value':
        this.#startTurn('prompt', utterance, async (turn) => {
          const step = await this.#await(turn, this.#errands.answer(open, answer.value));
          if (step && (await this.#proceed(turn, step))) await this.#think(turn);
        });
        return;
      case 'partial':
        open.digits = answer.digits;
        this.#speak('prompt', [this.#o.prompts.goOn], utterance);
        return;
      case 'repeat':
        this.#ask(open, question.prompt, utterance);
        return;
      case 'cancel':
      case 'agent':
        this.#drop(open, answer.kind, said, utterance);
        return;
      case 'unclear':
        open.digits = '';
        open.misses++;
        if (open.misses < MISSES_BEFORE_GIVING_UP) this.#ask(open, question.reprompt, utterance);
        else this.#drop(open, 'unclear', said, utterance);
        return;
    }
  }

  #drop(open: OpenQuestion, why: 'cancel' | 'agent' | 'unclear', said: string, utterance: Utterance | undefined): void {
    this.#listenFor(undefined);
    this.#startTurn('prompt', utterance, async (turn) => {
      await this.#errands.withdraw(open);
      if (why === 'agent') {
        this.history.push({ role: 'caller', text: said });
        await this.#think(turn);
      } else {
        await this.#say(turn, why === 'cancel' ? this.#o.prompts.cancelled : this.#o.prompts.giveUp);
      }
    });
  }

  #onKey(key: string, at: Ms): void {
    this.#idle.callerActive();
    const open = this.#errands.open;
    this.#o.scribe.event('dtmf', open?.question.secret ? { digit: 'hidden' } : { digit: key });
    if (this.#turn && !this.#turn.mustBeHeard) this.#interrupt(this.#turn, undefined, at);
    const expects = open?.question.expects;
    const length = expects?.kind === 'digits' ? expects.length - (open?.digits.length ?? 0) : 1;
    const entry = this.#keypad.press(key, at, length);
    if (entry !== undefined) this.#onKeyed(entry);
  }

  #onKeyed(entry: string): void {
    if (entry === '') return;
    const open = this.#errands.open;
    if (open) {
      this.#onAnswer(open, entry, 'dtmf', undefined);
    } else if (entry === '0' && this.#o.desk.actions.some((action) => action.name === 'speak_to_agent')) {
      this.#note('[key 0]', undefined, 'dtmf');
      this.#startTurn('prompt', undefined, (turn) =>
        this.#act(turn, [{ id: crypto.randomUUID(), name: 'speak_to_agent', arguments: {} }], 0),
      );
    }
  }

  #note(text: string, utterance: Utterance | undefined, source: string): void {
    const now = this.#o.time.now();
    this.#o.scribe.utterance({
      key: crypto.randomUUID(),
      speaker: 'caller',
      text,
      heard: text,
      interrupted: false,
      startedAt: utterance?.startedAt ?? now,
      endedAt: utterance?.endedAt ?? now,
      confidence: utterance?.confidence,
      source,
    });
  }

  // --- the assistant's side ------------------------------------------------------------------------------------

  #speak(source: string, sentences: readonly string[], answers?: Utterance): void {
    this.#startTurn(source, answers, async (turn) => {
      for (const sentence of sentences) if (!(await this.#say(turn, sentence))) return;
    });
  }

  #ask(open: OpenQuestion, prompt: string, answers: Utterance | undefined): void {
    this.#startTurn('prompt', answers, async (turn) => {
      await this.#put(turn, open.question, prompt);
    });
  }

  /** The action went on while nobody was waiting for it: put its question, or report its result. */
  #resumeErrand(): void {
    const open = this.#errands.open;
    if (open) this.#ask(open, open.question.prompt, undefined);
    else this.#startTurn(this.#o.model.name, undefined, (turn) => this.#think(turn));
  }

  #startTurn(
    source: string,
    answers: Utterance | undefined,
    body: (turn: Turn) => Promise<void>,
    end: ConversationEnd = 'bot-goodbye',
  ): void {
    if (this.#turn) this.#interrupt(this.#turn, undefined, this.#o.time.now());
    const id = ++this.#turns;
    const turn = new Turn(id, this.#o.scope.child(`turn ${id}`), source, this.#o.time.now(), answers);
    this.#turn = turn;
    this.#earlyYes = false;
    this.#idle.busy();
    this.#o.voice.begin(id);
    this.#o.voice.armBargeIn(true);
    void this.#o.scope.run(`turn ${id}`, async () => {
      try {
        await body(turn);
      } catch (error) {
        if (turn.signal.aborted) return;
        this.#o.log.error({ err: error }, 'turn failed');
        this.#o.scribe.event('turn-failed', { message: error instanceof Error ? error.message : String(error) });
        await this.#say(turn, this.#o.prompts.apology).catch(() => false);
      }
      if (turn.signal.aborted) return;
      const heard = await untilAborted(this.#o.voice.finish(id), turn.signal);
      if (heard && !turn.over) this.#turnOver(turn, heard, end);
    });
  }

  #turnOver(turn: Turn, heard: Heard, end: ConversationEnd): void {
    turn.over = true;
    this.#turn = undefined;
    this.#pause = undefined;
    void turn.scope.close();
    if (turn.text !== '') {
      this.history.push({ role: 'assistant', text: heard.text, interrupted: !heard.complete });
      this.#o.scribe.utterance(turn.utterance(heard, heard.lastSentAt ?? this.#o.time.now()));
    }
    const open = this.#errands.open;
    if (turn.endsCall && heard.complete && !this.#listener.active) {
      this.#o.onEnd(end);
      return;
    }
    if (this.#earlyYes && open) this.#ask(open, open.question.reprompt, undefined);
    this.#tick();
  }

  /** Abort the signal, cut the playout, write down what was heard: in this order, and nothing is waited for. */
  #interrupt(turn: Turn, heardSoFar: Heard | undefined, spokeAt: Ms): void {
    if (turn.over) return;
    turn.over = true;
    void turn.scope.close();
    const cut = this.#o.voice.cut(turn.id);
    if (this.#turn === turn) this.#turn = undefined;
    if (this.#pause?.turn === turn) this.#pause = undefined;
    const wasAudible = turn.audible;
    if (turn.text === '') return;
    const item: HistoryItem = { role: 'assistant', text: heardSoFar?.text ?? '', interrupted: true };
    // What was never heard was never said.
    if (wasAudible) this.history.push(item);
    this.#o.scribe.event('barge-in', { turn: turn.id, heardMs: heardSoFar?.playedMs });
    // The worker's own account replaces ours when it arrives, some hundred microseconds later.
    void cut.then((heard) => {
      const silenceMs =
        wasAudible && heard.lastSentAt !== undefined ? Math.max(0, heard.lastSentAt - spokeAt) : undefined;
      item.text = heard.text;
      item.interrupted = !heard.complete;
      this.#o.scribe.utterance(turn.utterance(heard, heard.lastSentAt, silenceMs));
    });
  }

  /** Model -> text and actions -> model, until it has nothing more to do. */
  async #think(turn: Turn, round = 0): Promise<void> {
    const splitter = new SentenceSplitter();
    const actions: { id: string; name: string; arguments: Record<string, unknown> }[] = [];
    const request = { instructions: this.#o.instructions, history: [...this.history], actions: this.#o.desk.actions };
    for await (const part of this.#o.model.reply(request, turn.signal)) {
      if (turn.signal.aborted) return;
      turn.token(this.#o.time.now());
      if (part.type === 'action') actions.push(part);
      else if (part.type === 'end-call') turn.endsCall = true;
      else for (const sentence of splitter.push(part.text)) if (!(await this.#say(turn, sentence))) return;
    }
    for (const sentence of splitter.flush()) if (!(await this.#say(turn, sentence))) return;
    if (actions.length > 0) await this.#act(turn, actions, round);
  }

  async #act(
    turn: Turn,
    actions: readonly { id: string; name: string; arguments: Record<string, unknown> }[],
    round: number,
  ): Promise<void> {
    for (const action of actions) {
      const step = await this.#await(turn, this.#errands.request(action.name, action.id, action.arguments));
      if (!step || !(await this.#proceed(turn, step))) return;
    }
    if (round + 1 < MAX_ROUNDS) await this.#think(turn, round + 1);
    else this.#o.log.warn({ rounds: MAX_ROUNDS }, 'language model kept calling actions; turn ended');
  }

  /** True when the action is done; false when its question was put to the caller or the turn is over. */
  async #proceed(turn: Turn, step: ActionStep): Promise<boolean> {
    if (step.kind === 'done') {
      this.#listenFor(undefined);
      return true;
    }
    await this.#put(turn, step.question, step.question.prompt);
    return false;
  }

  async #put(turn: Turn, question: Question, prompt: string): Promise<void> {
    this.#listenFor(question);
    if (question.mustBeHeard) {
      turn.mustBeHeard = true;
      this.#o.voice.armBargeIn(false);
    }
    const splitter = new SentenceSplitter();
    for (const sentence of [...splitter.push(prompt), ...splitter.flush()]) {
      if (!(await this.#say(turn, sentence))) return;
    }
  }

  #listenFor(question: Question | undefined): void {
    this.#o.ear.expect(expectationOf(question));
    this.#o.ear.mask(question?.secret ?? false);
  }

  /** Waits for an action, with a word to the caller when it takes long. The action outlives the turn. */
  async #await(turn: Turn, work: Promise<ActionStep>): Promise<ActionStep | undefined> {
    let filler: NodeJS.Timeout | undefined = setTimeout(() => {
      const { oneMoment } = this.#o.prompts;
      filler = undefined;
      if (!turn.signal.aborted) void this.#say(turn, oneMoment[this.#fillers++ % oneMoment.length]!);
    }, FILLER_AFTER_MS);
    work.then(
      () => {
        // Nobody waits for it any more: it is told, or its question put, when both sides are quiet.
        if (turn.signal.aborted) this.#unreported = true;
        this.#tick();
      },
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

  /** False when the turn is over. */
  async #say(turn: Turn, sentence: string): Promise<boolean> {
    // A reply does not begin over the caller's voice.
    if (this.#listener.speaking && !turn.audible) {
      const quiet = new Promise<void>((resolve) => this.#onCallerQuiet.push(resolve));
      await untilAborted(quiet, turn.signal);
    }
    if (turn.signal.aborted) return false;
    turn.generated(sentence);
    return this.#o.voice.say(turn.id, sentence, turn.signal, () => turn.audio(this.#o.time.now()));
  }
}

function expectationOf(question: Question | undefined): Expectation {
  if (!question) return { kind: 'request' };
  return { ...question.expects, secret: question.secret };
}

function endpointingFor(question: Question | undefined): EndpointingOptions {
  switch (question?.expects.kind) {
    case 'digits':
      return DIGITS;
    case 'yes-no':
      return YES_NO;
    default:
      return OPEN_REQUEST;
  }
}

/** What the transcript shows of an answer: nothing of a secret but that it was given. */
function maskedAnswer(question: Question, kind: string, said: string): string {
  if (!question.secret || kind === 'cancel' || kind === 'repeat' || kind === 'agent') {
    return said === '' ? UNINTELLIGIBLE : said;
  }
  return `[${question.slot.replaceAll('_', ' ')}, not shown]`;
}

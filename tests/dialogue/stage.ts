import { untilAborted } from '../../src/core/abortable.ts';
import type { Ms } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/log.ts';
import { Scope } from '../../src/core/scope.ts';
import { Conversation, type ConversationEnd, type ConversationOptions } from '../../src/dialogue/conversation.ts';
import type { LanguageModel, ReplyPart, ReplyRequest } from '../../src/dialogue/models/language-model.ts';
import type { ActionDesk, ActionStep, Question } from '../../src/dialogue/questions/action-desk.ts';
import type { Prompts } from '../../src/dialogue/speaking/prompts.ts';
import type {
  ByOtherEar,
  Ear,
  Expectation,
  Scribe,
  SpeakOptions,
  SpokenUtterance,
  Voice,
} from '../../src/dialogue/speaking/voice.ts';
import type { Heard } from '../../src/media/ports.ts';
import { ManualTime, settle } from '../support/manual-time.ts';

export const PROMPTS: Prompts = {
  greeting: 'Welcome.',
  stillThere: ['Still there?'],
  farewell: 'Farewell.',
  oneMoment: ['One moment.', 'A little longer.'],
  goOn: '{given} of {length}, go on.',
  takeYourTime: 'Take your time.',
  yesNoByKeys: 'One for yes, two for no.',
  numberByKeys: 'By keys, please.',
  menu: 'Keys, then.',
  menuChoice: '{what}: {key}.',
  didYouSay: 'Was it {words}?',
  understood: 'So {words}.',
  misheard: 'My mistake.',
  cancelled: 'Left it.',
  giveUp: 'I could not get that.',
  apology: 'Sorry about that.',
  shutdown: 'I have to go now. Goodbye.',
  backAgain: 'Here I am again.',
};

export const PIN: Question = {
  slot: 'pin',
  expects: { kind: 'digits', length: 4 },
  secret: true,
  prompt: 'Your PIN, please.',
  reprompt: 'Again, please.',
  mustBeHeard: false,
};
export const CONFIRM: Question = {
  slot: 'confirmation',
  expects: { kind: 'yes-no' },
  secret: false,
  prompt: 'Block the card ending 4417?',
  reprompt: 'Yes or no?',
  mustBeHeard: true,
};

/** A mouth that takes 100 ms of audio time per word, on the test's own clock. */
export class TestVoice implements Voice {
  readonly #time: ManualTime;
  readonly onStarted: (turn: number, at: number) => void;
  #turn = 0;
  #queue: string[] = [];
  #played = 0;
  #paused = false;
  #finishing: ((heard: Heard) => void) | undefined;
  armed = true;
  said: string[] = [];
  /** The pace of each sentence. */
  rates: number[] = [];

  constructor(time: ManualTime, onStarted: (turn: number, at: number) => void) {
    this.#time = time;
    this.onStarted = onStarted;
  }

  get turn(): number {
    return this.#turn;
  }

  heard(complete: boolean): Heard {
    return {
      turn: this.#turn,
      text: this.#queue.slice(0, this.#played).join(' '),
      playedMs: this.#played * 100,
      complete,
      lastSentAt: this.#time.now(),
      lastSoundAt: this.#time.now(),
    };
  }

  begin(turn: number): void {
    this.#turn = turn;
    this.#queue = [];
    this.#played = 0;
    this.#paused = false;
    this.#finishing = undefined;
  }

  async say(turn: number, sentence: string, { rate, signal, onAudio }: SpeakOptions): Promise<boolean> {
    if (turn !== this.#turn || signal.aborted) return false;
    onAudio();
    this.said.push(sentence);
    this.rates.push(rate);
    if (this.#queue.length === 0) this.onStarted(turn, this.#time.now());
    this.#queue.push(...sentence.split(' '));
    return true;
  }

  prepared: string[] = [];
  prepare(sentence: string): void {
    this.prepared.push(sentence);
  }

  finish(turn: number): Promise<Heard> {
    if (turn !== this.#turn) return Promise.resolve({ turn, text: '', playedMs: 0, complete: false });
    return new Promise((resolve) => {
      this.#finishing = resolve;
      if (this.#played >= this.#queue.length) this.#done(true);
    });
  }

  pause(): Heard {
    this.#paused = true;
    return this.heard(false);
  }

  resume(): void {
    this.#paused = false;
  }

  async cut(turn: number): Promise<Heard> {
    if (turn !== this.#turn) return { turn, text: '', playedMs: 0, complete: false };
    const heard = this.heard(this.#played >= this.#queue.length);
    this.#queue = this.#queue.slice(0, this.#played);
    this.#done(false);
    return heard;
  }

  armBargeIn(armed: boolean): void {
    this.armed = armed;
  }

  /** Plays `words` more words. */
  async play(words = 1000): Promise<void> {
    for (let i = 0; i < words && !this.#paused && this.#played < this.#queue.length; i++) {
      await this.#time.pass(100);
      this.#played++;
    }
    if (!this.#paused && this.#played >= this.#queue.length) this.#done(true);
    await settle();
  }

  #done(complete: boolean): void {
    const finishing = this.#finishing;
    this.#finishing = undefined;
    finishing?.(this.heard(complete));
  }
}

export class TestEar implements Ear {
  expectations: Expectation[] = [];
  masked = false;
  ended = 0;
  expect(expectation: Expectation): void {
    this.expectations.push(expectation);
  }
  endSegment(): void {
    this.ended++;
  }
  mask(masked: boolean): void {
    this.masked = masked;
  }
  silenced: [Ms, Ms][] = [];
  silence(from: Ms, to: Ms): void {
    this.silenced.push([from, to]);
  }
}

export class TestScribe implements Scribe {
  utterances = new Map<string, SpokenUtterance>();
  events: [string, Record<string, unknown> | undefined][] = [];
  utterance(utterance: SpokenUtterance): void {
    this.utterances.set(utterance.key, utterance);
  }
  event(type: string, data?: Record<string, unknown>): void {
    this.events.push([type, data]);
  }
  lines(): string[] {
    return [...this.utterances.values()].map((u) => `${u.speaker}: ${u.speaker === 'caller' ? u.text : u.heard}`);
  }
}

/** A desk whose steps the test decides one by one. */
export class TestDesk implements ActionDesk {
  readonly actions = [
    {
      name: 'block_card',
      description: 'block a card',
      parameters: {},
      examples: ['block my [debit] card'],
      menu: 'to block a card',
      effect: 'change' as const,
      readBack: true,
    },
    {
      name: 'account_balance',
      description: 'the balance',
      parameters: {},
      examples: ['what is my balance'],
      menu: 'for your balance',
    },
    {
      name: 'last_transactions',
      description: 'the last transactions',
      parameters: { type: 'object', properties: { count: { type: 'integer', minimum: 1, maximum: 10 } } },
      examples: ['[what are] my last [{count}] transactions'],
    },
    {
      name: 'speak_to_agent',
      description: 'speak to an agent',
      parameters: {},
      examples: ['[i want] an agent'],
      menu: 'for a person',
      effect: 'change' as const,
    },
  ];
  readonly customer = undefined;
  asked: string[] = [];
  #waiting: ((step: ActionStep) => void)[] = [];

  request(_id: string, name: string): Promise<ActionStep> {
    this.asked.push(name);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
  /** What was fetched ahead, and `forget` for each time that was for nothing. */
  foreseen: string[] = [];
  /** What the caller will be told, as far as that is known ahead. */
  foretold: string | undefined;
  async foresee(name: string): Promise<string | undefined> {
    this.foreseen.push(name);
    return this.foretold;
  }
  forget(): void {
    this.foreseen.push('forget');
  }
  answer(_id: string, value: string): Promise<ActionStep> {
    this.asked.push(`answer ${value}`);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
  async withdraw(): Promise<void> {
    this.asked.push('withdraw');
  }
  async close(): Promise<void> {}
  async step(step: ActionStep): Promise<void> {
    this.#waiting.shift()!(step);
    await settle();
  }
  ask = (question: Question) => this.step({ kind: 'ask', question });
  done = (say: string) => this.step({ kind: 'done', result: { ok: true, code: 'posted', data: {}, say } });
  /** Done, with words that must be heard to their end. */
  notice = (say: string) =>
    this.step({ kind: 'done', result: { ok: true, code: 'posted', data: {}, say, mustBeHeard: true } });
}

/** What the recogniser thinks of its words. Not rejected, confidence 0.9, in quiet, unless said otherwise. */
export interface HowHeard {
  rejected?: boolean;
  confidence?: number;
  noisy?: boolean;
  /** What the second ear made of it. */
  otherwise?: ByOtherEar;
}

/** A conversation on the test's own clock: its model, desk, mouth and ears are the test's, the rest is real. */
export class Stage {
  readonly time = new ManualTime();
  readonly scope = new Scope('call');
  readonly ear = new TestEar();
  readonly scribe = new TestScribe();
  readonly desk = new TestDesk();
  readonly requests: ReplyRequest[] = [];
  readonly voice: TestVoice;
  readonly conversation: Conversation;
  ends: ConversationEnd[] = [];
  /** The caller's telephone is on its loudspeaker. */
  echoes = false;
  /** What the model answers; gets the request. */
  answer: (request: ReplyRequest) => ReplyPart[] | Promise<ReplyPart[]> = () => [{ type: 'text', text: 'Fine.' }];
  readonly model: { -readonly [Part in keyof LanguageModel]: LanguageModel[Part] } = {
    name: 'test',
    reply: (request, signal) => this.#reply(request, signal),
    health: async () => ({ ok: true }),
  };
  #segment = 0;

  constructor(options: Partial<ConversationOptions> = {}) {
    this.voice = new TestVoice(this.time, (turn, at) =>
      this.conversation.onMedia({ type: 'playout-started', turn, at }),
    );
    this.conversation = new Conversation({
      scope: this.scope,
      time: this.time,
      log: silentLogger,
      instructions: 'be a bank',
      prompts: PROMPTS,
      model: this.model,
      desk: this.desk,
      voice: this.voice,
      ear: this.ear,
      scribe: this.scribe,
      onEnd: (end) => this.ends.push(end),
      ...options,
    });
  }

  async *#reply(request: ReplyRequest, signal: AbortSignal): AsyncGenerator<ReplyPart> {
    this.requests.push(request);
    yield* (await untilAborted(Promise.resolve(this.answer(request)), signal)) ?? [];
  }

  async greet(): Promise<void> {
    this.conversation.start();
    await settle();
    await this.voice.play();
  }

  get segment(): number {
    return this.#segment;
  }

  startSpeaking(): void {
    this.conversation.onMedia({ type: 'speech-start', at: this.time.now(), segment: ++this.#segment });
  }

  partial(text: string, complete = false): void {
    this.conversation.onTranscript({
      segment: this.#segment,
      kind: 'partial',
      text,
      confidence: 0.9,
      complete,
      at: this.time.now(),
    });
  }

  /** The caller has been silent for a tenth of a second. */
  async lull(): Promise<void> {
    this.conversation.onMedia({ type: 'speech-lull', at: this.time.now(), segment: this.#segment });
    await settle();
  }

  async stopSpeaking(): Promise<void> {
    this.conversation.onMedia({ type: 'speech-end', at: this.time.now(), segment: this.#segment });
    await settle();
  }

  final(text: string, { rejected = false, confidence = 0.9, noisy = false, otherwise }: HowHeard = {}): Promise<void> {
    this.conversation.onTranscript({
      segment: this.#segment,
      kind: 'final',
      text,
      confidence,
      rejected,
      noisy,
      ...(otherwise && { otherwise }),
      at: this.time.now(),
    });
    return settle();
  }

  /** A whole utterance: speech, pause, endpoint, final. */
  async say(text: string, how?: HowHeard): Promise<void> {
    this.startSpeaking();
    await this.time.pass(600);
    this.partial(text, true);
    await this.stopSpeaking();
    await this.time.pass(300);
    await this.final(text, how);
  }

  /** The caller makes a sound while the bot speaks: what the media worker does then. */
  bargeIn(): void {
    const turn = this.voice.turn;
    const heard = this.voice.pause();
    this.startSpeaking();
    this.conversation.onMedia({ type: 'barge-in', at: this.time.now(), turn, heard, echoes: this.echoes });
  }
}

export const say = (text: string): ReplyPart[] => [{ type: 'text', text }];
export const act = (name: string, id = 'a1'): ReplyPart[] => [{ type: 'action', id, name, arguments: {} }];

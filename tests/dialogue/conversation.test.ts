import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { untilAborted } from '../../src/core/abortable.ts';
import { silentLogger } from '../../src/core/log.ts';
import { Scope } from '../../src/core/scope.ts';
import type { ActionDesk, ActionStep, Question } from '../../src/dialogue/action-desk.ts';
import { Conversation, type ConversationEnd } from '../../src/dialogue/conversation.ts';
import type { LanguageModel, ReplyPart, ReplyRequest } from '../../src/dialogue/language-model.ts';
import type { Prompts } from '../../src/dialogue/prompts.ts';
import type { Ear, Expectation, Scribe, SpokenUtterance, Voice } from '../../src/dialogue/voice.ts';
import type { Heard } from '../../src/media/ports.ts';
import { ManualTime, settle } from '../support/manual-time.ts';

const PROMPTS: Prompts = {
  greeting: 'Welcome.',
  stillThere: ['Still there?'],
  farewell: 'Farewell.',
  oneMoment: ['One moment.', 'A little longer.'],
  goOn: 'Go on.',
  cancelled: 'Left it.',
  giveUp: 'I could not get that.',
  apology: 'Sorry about that.',
};

const PIN: Question = {
  slot: 'pin',
  expects: { kind: 'digits', length: 4 },
  secret: true,
  prompt: 'Your PIN, please.',
  reprompt: 'Again, please.',
  mustBeHeard: false,
};
const CONFIRM: Question = {
  slot: 'confirmation',
  expects: { kind: 'yes-no' },
  secret: false,
  prompt: 'Block the card ending 4417?',
  reprompt: 'Yes or no?',
  mustBeHeard: true,
};

/** A mouth that takes 100 ms of audio time per word, on the test's own clock. */
class TestVoice implements Voice {
  readonly #time: ManualTime;
  readonly onStarted: (turn: number, at: number) => void;
  #turn = 0;
  #queue: string[] = [];
  #played = 0;
  #paused = false;
  #finishing: ((heard: Heard) => void) | undefined;
  armed = true;
  said: string[] = [];

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
    };
  }

  begin(turn: number): void {
    this.#turn = turn;
    this.#queue = [];
    this.#played = 0;
    this.#paused = false;
    this.#finishing = undefined;
  }

  async say(turn: number, sentence: string, signal: AbortSignal, onAudio: () => void): Promise<boolean> {
    if (turn !== this.#turn || signal.aborted) return false;
    onAudio();
    this.said.push(sentence);
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

class TestEar implements Ear {
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
}

class TestScribe implements Scribe {
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
class TestDesk implements ActionDesk {
  readonly actions = [
    { name: 'block_card', description: 'block a card', parameters: {}, examples: [] },
    { name: 'speak_to_agent', description: 'speak to an agent', parameters: {}, examples: [] },
  ];
  readonly customer = undefined;
  asked: string[] = [];
  #waiting: ((step: ActionStep) => void)[] = [];

  request(_id: string, name: string): Promise<ActionStep> {
    this.asked.push(name);
    return new Promise((resolve) => this.#waiting.push(resolve));
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
}

class Stage {
  readonly time = new ManualTime();
  readonly scope = new Scope('call');
  readonly ear = new TestEar();
  readonly scribe = new TestScribe();
  readonly desk = new TestDesk();
  readonly requests: ReplyRequest[] = [];
  readonly voice: TestVoice;
  readonly conversation: Conversation;
  ends: ConversationEnd[] = [];
  /** What the model answers; gets the request. */
  answer: (request: ReplyRequest) => ReplyPart[] | Promise<ReplyPart[]> = () => [{ type: 'text', text: 'Fine.' }];
  #segment = 0;

  constructor() {
    const model: LanguageModel = {
      name: 'test',
      reply: (request, signal) => this.#reply(request, signal),
      health: async () => ({ ok: true }),
    };
    this.voice = new TestVoice(this.time, (turn, at) =>
      this.conversation.onMedia({ type: 'playout-started', turn, at }),
    );
    this.conversation = new Conversation({
      scope: this.scope,
      time: this.time,
      log: silentLogger,
      instructions: 'be a bank',
      prompts: PROMPTS,
      model,
      desk: this.desk,
      voice: this.voice,
      ear: this.ear,
      scribe: this.scribe,
      onEnd: (end) => this.ends.push(end),
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

  async stopSpeaking(): Promise<void> {
    this.conversation.onMedia({ type: 'speech-end', at: this.time.now(), segment: this.#segment });
    await settle();
  }

  final(text: string, rejected = false): Promise<void> {
    this.conversation.onTranscript({
      segment: this.#segment,
      kind: 'final',
      text,
      confidence: 0.9,
      rejected,
      at: this.time.now(),
    });
    return settle();
  }

  /** A whole utterance: speech, pause, endpoint, final. */
  async say(text: string): Promise<void> {
    this.startSpeaking();
    await this.time.pass(600);
    this.partial(text, true);
    await this.stopSpeaking();
    await this.time.pass(300);
    await this.final(text);
  }

  /** The caller makes a sound while the bot speaks: what the media worker does then. */
  bargeIn(): void {
    const turn = this.voice.turn;
    const heard = this.voice.pause();
    this.startSpeaking();
    this.conversation.onMedia({ type: 'barge-in', at: this.time.now(), turn, heard });
  }
}

let s: Stage;
beforeEach(() => {
  s = new Stage();
});
afterEach(() => s.scope.close());

const say = (text: string): ReplyPart[] => [{ type: 'text', text }];
const act = (name: string, id = 'a1'): ReplyPart[] => [{ type: 'action', id, name, arguments: {} }];

describe('a caller who asks', () => {
  it('is greeted, answered, and both stand in the transcript with the latencies', async () => {
    s.answer = () => say('You have ten dollars.');
    await s.greet();
    await s.say('what is my balance');
    await s.voice.play();
    expect(s.scribe.lines()).toEqual([
      'assistant: Welcome.',
      'caller: what is my balance',
      'assistant: You have ten dollars.',
    ]);
    const answer = [...s.scribe.utterances.values()].at(-1)!;
    expect(answer.timings!.endpointMs).toBeGreaterThan(0);
    expect(answer.timings!.firstPacketMs).toBeGreaterThanOrEqual(answer.timings!.endpointMs!);
    expect(answer.interrupted).toBe(false);
  });

  it('goes on after the endpoint, before the answer is heard: it is one request', async () => {
    let release: (parts: ReplyPart[]) => void = () => {};
    s.answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    await s.greet();
    await s.say('i want to know');
    await s.say('where my card is');
    expect(s.requests.at(-1)!.history.filter((item) => item.role === 'caller')).toEqual([
      { role: 'caller', text: 'i want to know where my card is' },
    ]);
    release(say('Here.'));
  });

  it('is not spoken over: the reply waits until the caller is quiet', async () => {
    let release: (parts: ReplyPart[]) => void = () => {};
    s.answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    await s.greet();
    await s.say('what is my balance');
    s.startSpeaking();
    release(say('Ten.'));
    await settle();
    expect(s.voice.said).toEqual(['Welcome.']);
    await s.time.pass(200);
    await s.stopSpeaking();
    expect(s.voice.said).toEqual(['Welcome.', 'Ten.']);
  });

  it('is asked again when nothing was understood', async () => {
    await s.greet();
    s.startSpeaking();
    await s.time.pass(600);
    await s.stopSpeaking();
    await s.time.pass(700);
    await s.final('', true);
    expect(s.requests.at(-1)!.history.at(-1)).toEqual({ role: 'caller', text: '[unintelligible]' });
  });

  it('is served from the last partial when the recogniser does not answer', async () => {
    await s.greet();
    s.startSpeaking();
    await s.time.pass(600);
    s.partial('what is my balance', true);
    await s.stopSpeaking();
    await s.time.pass(3000);
    expect(s.requests.at(-1)!.history.at(-1)).toEqual({ role: 'caller', text: 'what is my balance' });
  });
});

describe('a caller who interrupts', () => {
  beforeEach(async () => {
    s.answer = () => say('One two three four five six seven eight.');
    await s.greet();
    await s.say('tell me');
    await s.voice.play(3);
  });

  it('silences the bot, and the transcript keeps what was heard', async () => {
    s.bargeIn();
    s.partial('what is my balance', true);
    await s.time.pass(300);
    const cut = [...s.scribe.utterances.values()].find((u) => u.interrupted)!;
    expect(cut).toMatchObject({ heard: 'One two three', text: 'One two three four five six seven eight.' });
    await s.stopSpeaking();
    await s.time.pass(300);
    await s.final('what is my balance');
    expect(s.requests.at(-1)!.history.slice(-2)).toEqual([
      { role: 'assistant', text: 'One two three', interrupted: true },
      { role: 'caller', text: 'what is my balance' },
    ]);
  });

  it('who only coughs hears the bot go on from where it stopped', async () => {
    s.bargeIn();
    await s.time.pass(150);
    await s.stopSpeaking();
    await s.time.pass(300);
    await s.voice.play();
    expect(s.scribe.lines().at(-1)).toBe('assistant: One two three four five six seven eight.');
    expect(s.scribe.events.map(([type]) => type)).toContain('barge-in-ignored');
  });

  it.each(['okay', 'mm hm', 'right i see'])(
    'who only says "%s" hears the bot go on, and it is no turn of theirs',
    async (word) => {
      const asked = s.requests.length;
      s.bargeIn();
      await s.time.pass(200);
      s.partial(word, true);
      await s.time.pass(300);
      await s.stopSpeaking();
      await s.time.pass(300);
      await s.final(word);
      await s.voice.play();
      expect(s.scribe.lines().at(-1)).toBe('assistant: One two three four five six seven eight.');
      expect(s.requests.length).toBe(asked);
      expect(s.scribe.events.map(([type]) => type)).toContain('backchannel');
    },
  );

  it('with "stop" is obeyed at once', async () => {
    s.bargeIn();
    await s.time.pass(100);
    s.partial('stop', true);
    await settle();
    expect([...s.scribe.utterances.values()].some((u) => u.interrupted)).toBe(true);
  });

  it('with a key is heard at once', async () => {
    s.conversation.onMedia({ type: 'dtmf', at: s.time.now(), digit: '7', durationMs: 80 });
    await settle();
    expect([...s.scribe.utterances.values()].some((u) => u.interrupted)).toBe(true);
  });
});

describe('a bot that asks while it speaks', () => {
  it('takes "yes" over its question for the answer', async () => {
    s.answer = () => say('I can do that. Would you like me to?');
    await s.greet();
    await s.say('tell me');
    await s.voice.play(5);
    s.bargeIn();
    s.partial('yes', true);
    await settle();
    expect([...s.scribe.utterances.values()].some((u) => u.interrupted)).toBe(true);
  });
});

describe('working ahead', () => {
  const pause = async (text: string) => {
    s.startSpeaking();
    await s.time.pass(600);
    s.partial(text, true);
    await s.stopSpeaking();
  };

  it('drafts the reply in the pause, speaks it at the endpoint, and asks the model once', async () => {
    s.answer = () => say('You have ten dollars. And more.');
    await s.greet();
    await pause('what is my balance');
    expect(s.voice.prepared).toEqual(['You have ten dollars.']);
    expect(s.voice.said).toEqual(['Welcome.']);
    await s.time.pass(250);
    await s.final('what is my balance');
    expect(s.voice.said).toEqual(['Welcome.', 'You have ten dollars.', 'And more.']);
    expect(s.requests).toHaveLength(1);
  });

  it('throws the draft away when the caller goes on, and when the last words turn out different', async () => {
    s.answer = (request) => say(`You said: ${(request.history.at(-1) as { text: string }).text}.`);
    await s.greet();
    await pause('where is my card');
    s.conversation.onMedia({ type: 'speech-start', at: s.time.now(), segment: s.segment });
    await s.time.pass(500);
    s.partial('where is my card and my balance', true);
    await s.stopSpeaking();
    await s.time.pass(300);
    await s.final('where is my card and what is my balance');
    expect(s.voice.said.at(-1)).toBe('You said: where is my card and what is my balance.');
    expect(s.requests).toHaveLength(3);
  });

  it('carries nothing out before the turn is certain', async () => {
    s.answer = (request) => (request.history.at(-1)?.role === 'caller' ? act('block_card') : say('Done.'));
    await s.greet();
    await pause('block my card');
    expect(s.desk.asked).toEqual([]);
    await s.time.pass(250);
    await s.final('block my card');
    expect(s.desk.asked).toEqual(['block_card']);
  });

  it('that fails is not held against the turn', async () => {
    let asked = 0;
    s.answer = () => (asked++ === 0 ? Promise.reject(new Error('too soon')) : say('Fine.'));
    await s.greet();
    await pause('what is my balance');
    await s.time.pass(250);
    await s.final('what is my balance');
    expect(s.voice.said.at(-1)).toBe('Fine.');
  });
});

describe('an action', () => {
  beforeEach(async () => {
    s.answer = (request) => {
      const last = request.history.at(-1);
      if (last?.role === 'action') return say(last.result.say);
      if (last?.role === 'caller' && last.text.includes('block')) return act('block_card');
      return say('Fine.');
    };
    await s.greet();
    await s.say('block my card');
  });

  it('asks for the PIN, which only the keypad or the local ears get, and which stands nowhere', async () => {
    await s.desk.ask(PIN);
    await s.voice.play();
    expect(s.ear.expectations.at(-1)).toEqual({ kind: 'digits', length: 4, secret: true });
    expect(s.ear.masked).toBe(true);
    for (const digit of '2580') s.conversation.onMedia({ type: 'dtmf', at: s.time.now(), digit, durationMs: 80 });
    await s.desk.done('Blocked.');
    await s.voice.play();
    expect(s.desk.asked).toEqual(['block_card', 'answer 2580']);
    expect(s.ear.masked).toBe(false);
    const everything = JSON.stringify([s.scribe.lines(), s.scribe.events, s.conversation.history, s.requests]);
    expect(everything).not.toContain('2580');
    expect(s.scribe.lines()).toContain('caller: [pin, not shown]');
    expect(s.scribe.lines().at(-1)).toBe('assistant: Blocked.');
  });

  it('takes the PIN spoken, in two breaths, and asks to go on in between', async () => {
    await s.desk.ask(PIN);
    await s.voice.play();
    await s.say('two five');
    await s.time.pass(2000);
    await s.final('two five');
    await s.voice.play();
    expect(s.voice.said.at(-1)).toBe('Go on.');
    await s.say('eight zero');
    expect(s.desk.asked.at(-1)).toBe('answer 2580');
  });

  it('is not confirmed by a yes that came before the read-back was heard', async () => {
    await s.desk.ask(CONFIRM);
    expect(s.voice.armed).toBe(false);
    await s.voice.play(1);
    await s.say('yes');
    expect(s.desk.asked).toEqual(['block_card']);
    await s.voice.play();
    expect(s.voice.said.at(-1)).toBe('Yes or no?');
    await s.voice.play();
    await s.say('yes');
    expect(s.desk.asked.at(-1)).toBe('answer yes');
  });

  it('goes on when the caller interrupts, once, and its result is told', async () => {
    await s.desk.ask(CONFIRM);
    await s.voice.play();
    await s.say('yes');
    await s.say('hello');
    await s.voice.play();
    expect(s.desk.asked).toEqual(['block_card', 'answer yes']);
    await s.desk.done('Your card is blocked.');
    await s.time.pass(10);
    await s.voice.play();
    expect(s.scribe.lines().at(-1)).toBe('assistant: Your card is blocked.');
  });

  it('is left when the caller says never mind', async () => {
    await s.desk.ask(PIN);
    await s.voice.play();
    await s.say('never mind');
    expect(s.desk.asked.at(-1)).toBe('withdraw');
    expect(s.voice.said.at(-1)).toBe('Left it.');
    expect(s.ear.masked).toBe(false);
    expect(s.ear.expectations.at(-1)).toEqual({ kind: 'request' });
  });

  it('is left after three answers that nobody understands', async () => {
    await s.desk.ask(PIN);
    for (let i = 0; i < 3; i++) {
      await s.voice.play();
      await s.say('purple');
    }
    expect(s.voice.said.slice(-3)).toEqual(['Again, please.', 'Again, please.', 'I could not get that.']);
    expect(s.desk.asked.at(-1)).toBe('withdraw');
    expect(JSON.stringify(s.scribe.lines())).not.toContain('purple');
  });
});

describe('silence', () => {
  it('gets "still there" twice, then a farewell, then the end', async () => {
    await s.greet();
    for (let i = 0; i < 3; i++) {
      await s.time.pass(9000);
      await s.voice.play();
    }
    expect(s.voice.said).toEqual(['Welcome.', 'Still there?', 'Still there?', 'Farewell.']);
    expect(s.ends).toEqual(['silence-farewell']);
  });

  it('never ends a call in which somebody is talking', async () => {
    await s.greet();
    for (let i = 0; i < 2; i++) {
      await s.time.pass(9000);
      await s.voice.play();
    }
    await s.time.pass(8001);
    await s.voice.play(0);
    s.startSpeaking();
    await s.voice.play();
    expect(s.voice.said.at(-1)).toBe('Farewell.');
    expect(s.ends).toEqual([]);
  });
});

describe('the end', () => {
  it('comes after the goodbye was heard', async () => {
    s.answer = () => [{ type: 'text', text: 'Goodbye then.' }, { type: 'end-call' }];
    await s.greet();
    await s.say('goodbye');
    expect(s.ends).toEqual([]);
    await s.voice.play();
    expect(s.ends).toEqual(['bot-goodbye']);
  });

  it('does not come when the caller interrupts the goodbye', async () => {
    s.answer = () => [{ type: 'text', text: 'Goodbye then and so on.' }, { type: 'end-call' }];
    await s.greet();
    await s.say('goodbye');
    await s.voice.play(1);
    s.bargeIn();
    s.partial('wait', true);
    await settle();
    await s.voice.play();
    expect(s.ends).toEqual([]);
  });

  it('aborts the running turn at once when the call closes', async () => {
    let aborted = false;
    s.answer = (() => new Promise<ReplyPart[]>(() => {})) as Stage['answer'];
    await s.greet();
    await s.say('tell me');
    s.scope.signal.addEventListener('abort', () => {
      aborted = true;
    });
    void s.scope.close();
    expect(aborted).toBe(true);
  });
});

describe('a turn that fails', () => {
  it('apologises, and the next one works', async () => {
    s.answer = () => Promise.reject(new Error('engine on fire'));
    await s.greet();
    await s.say('tell me');
    await s.voice.play();
    expect(s.voice.said.at(-1)).toBe('Sorry about that.');
    s.answer = () => say('Fine.');
    await s.say('tell me');
    await s.voice.play();
    expect(s.scribe.lines().at(-1)).toBe('assistant: Fine.');
  });
});

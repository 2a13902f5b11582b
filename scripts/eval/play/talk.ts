import { type Ms, monotonicNow } from '../../../src/core/clock.ts';
import { FarEndSilent } from '../../../tests/support/phone/failures.ts';
import type { Turn } from '../../../tests/support/phone/measures.ts';
import type { Phone } from '../../../tests/support/phone/phone.ts';
import type { JoinedSpeech } from '../audio/pauses.ts';
import type { Credentials, PauseSite, Step } from '../corpus/types.ts';
import type { CallRecord } from '../score/record.ts';
import { type Asked, keyFor, sameMeaning, whatIsAsked } from './asked.ts';
import type { Moment, TimedPause } from './moment.ts';
import { type PreparedStep, written } from './prepare.ts';

const PER_MS = 8;
/** An answer that has not begun by then is missed. */
const ANSWER_WITHIN_MS: Ms = 8000;
/** The bot has finished when it has been silent for so long; longer than it breathes between sentences. */
const OVER_AFTER_MS: Ms = 900;
/** No answer of the bank is longer. */
const LONGEST_ANSWER_MS: Ms = 60_000;
/** A caller who is not understood so often goes on with something else. */
const REQUESTS = 3;
/** Questions of the bot that are answered before a request must have been served. */
const QUESTIONS = 3;
/** What became of a sound is heard by then. */
const WATCHED_MS: Ms = 1500;

type Meaning = Extract<Asked, { kind: 'meaning' }>;
type StepOf<K extends Step['do']> = Extract<Step, { do: K }>;

/** The caller in one call: performs the steps and notes what was done when. Throws HungUp when the call ends first. */
export class Talk {
  readonly moments: Moment[] = [];
  readonly #phone: Phone;
  readonly #peek: () => Promise<CallRecord | undefined>;

  /** `peek`: the call's record so far, for callers who answer what they are asked. */
  constructor(phone: Phone, peek: () => Promise<CallRecord | undefined>) {
    this.#phone = phone;
    this.#peek = peek;
  }

  async perform(prepared: PreparedStep): Promise<void> {
    const { step } = prepared;
    switch (step.do) {
      case 'greet':
        await this.#hearAnswer();
        return;
      case 'say':
        await this.#say(step, prepared.speech!);
        await this.#hearAnswer();
        if (step.credentials) await this.#answerQuestions(step.credentials, written(step.pieces), prepared);
        return;
      case 'press':
        await this.#press(step);
        await this.#hearAnswer();
        return;
      case 'identify':
        await this.#identify(step, prepared);
        return;
      case 'say-and-press':
        await this.#sayAndPress(step, prepared.speech!);
        await this.#hearAnswer();
        return;
      case 'backchannels':
        await this.#backchannels(step, prepared);
        return;
      case 'interrupt':
        await this.#interrupt(step, prepared);
        return;
      case 'hear-out':
        await this.#hearOut(step, prepared);
        return;
      case 'be-silent': {
        const startedAt = monotonicNow();
        await this.#phone.pause(step.forMs);
        this.#note('silence', step, `silent for ${step.forMs} ms`, { startedAt, endedAt: startedAt });
        await this.#over();
      }
    }
  }

  async #say(step: StepOf<'say'>, speech: JoinedSpeech): Promise<void> {
    const text = written(step.pieces);
    const turn = await this.#phone.say(speech.pcm, { label: text });
    this.#note('turn', step, text, turn, pausesOf(speech, turn, step.site ?? 'open'));
  }

  async #identify(step: StepOf<'identify'>, prepared: PreparedStep): Promise<void> {
    const { ask, pin } = prepared;
    const expect = {
      transactions: [{ type: 'VERIFY', authenticationStatus: 'VERIFIED', customerId: step.number }],
    } as const;
    let spoken = pin;
    let requests = 0;
    for (let answers = 0; answers < REQUESTS + QUESTIONS; answers++) {
      const record = await this.#peek();
      if (
        record?.transactions.some((row) => row.transactionType === 'VERIFY' && row.authenticationStatus === 'VERIFIED')
      )
        return;
      const asked = whatIsAsked(record);
      if (asked?.kind === 'meaning') {
        await this.#sayWhatWasMeant(asked, step.request, prepared);
      } else if (asked?.kind === 'pin' && spoken && !asked.byKeys) {
        const turn = await this.#phone.say(spoken, { label: 'the PIN' });
        this.#note('turn', { expect, tags: { what: 'spoken PIN' } }, 'the PIN', turn);
        spoken = undefined;
      } else if (asked === undefined || asked.kind === 'menu') {
        if (++requests > REQUESTS) return;
        const turn = await this.#phone.say(ask!, { label: step.request });
        this.#note('turn', { expect: { said: '\\bpin\\b|customer number' } }, step.request, turn);
      } else {
        const isPin = asked.kind === 'pin';
        const digits = isPin ? step.pin : step.number;
        this.#note('keys', isPin ? { expect } : {}, digits, await this.#phone.press(digits));
      }
      await this.#hearAnswer();
    }
  }

  /** Keys what the bot asks for before it does what it was asked, and says whether that was it. */
  async #answerQuestions({ number, pin }: Credentials, request: string, prepared: PreparedStep): Promise<void> {
    for (let answers = 0; answers < QUESTIONS; answers++) {
      const asked = whatIsAsked(await this.#peek());
      if (asked === undefined) return;
      if (asked.kind === 'meaning') {
        await this.#sayWhatWasMeant(asked, request, prepared);
      } else if (asked.kind === 'menu') {
        const key = keyFor(request, asked.text);
        if (key === undefined) return;
        this.#note('keys', { continues: true, tags: { what: 'menu' } }, key, await this.#phone.press(key));
      } else {
        const digits = asked.kind === 'pin' ? pin : number;
        this.#note('keys', { continues: true }, digits, await this.#phone.press(digits));
      }
      await this.#hearAnswer();
    }
  }

  /** By voice; whoever was not understood and is offered keys takes them. */
  async #sayWhatWasMeant({ words, byKeys }: Meaning, request: string, { yes, no }: PreparedStep): Promise<void> {
    const meant = sameMeaning(request, words);
    const label = meant ? 'yes' : 'no';
    const again = this.moments.at(-1)?.tags.what === 'asked';
    const kind = byKeys && again ? 'keys' : 'turn';
    const times =
      kind === 'keys'
        ? await this.#phone.press(meant ? '1' : '2')
        : await this.#phone.say(meant ? yes! : no!, { label });
    this.#note(kind, { continues: true, tags: { what: 'asked' } }, label, times);
  }

  async #press(step: StepOf<'press'>): Promise<void> {
    const turn = await this.#phone.press(step.digits);
    this.#note('keys', step, step.digits, turn);
  }

  async #sayAndPress(step: StepOf<'say-and-press'>, speech: JoinedSpeech): Promise<void> {
    const words = await this.#phone.say(speech.pcm, { expectReply: false, label: step.words });
    await this.#phone.pause(step.gapMs);
    const keys = await this.#phone.press(step.digits);
    const times = { startedAt: words.startedAt, endedAt: keys.endedAt };
    this.#note('keys', step, `${step.words} [${step.digits}]`, times);
  }

  /** Sounds into an answer, one after another while it lasts; the request is made again when it is over. */
  async #backchannels(step: StepOf<'backchannels'>, prepared: PreparedStep): Promise<void> {
    const waiting = [...prepared.sounds!];
    for (let asked = 0; waiting.length > 0 && asked <= step.sounds.length; asked++) {
      await this.#ask(step.ask, prepared.ask!);
      while (waiting[0] && (await this.#botSpeaksFor(waiting[0].afterMs))) {
        const { name, pcm } = waiting.shift()!;
        const turn = await this.#phone.say(pcm, { expectReply: false, label: name });
        this.#note('sound', { tags: { what: name } }, name, turn);
        await this.#phone.pause(WATCHED_MS);
      }
      await this.#over();
    }
  }

  async #interrupt(step: StepOf<'interrupt'>, prepared: PreparedStep): Promise<void> {
    await this.#ask(step.ask, prepared.ask!);
    if (!(await this.#botSpeaksFor(step.afterMs))) {
      await this.#over();
      return; // The answer was too short to be interrupted; score/ counts what was played.
    }
    const speech = prepared.speech!;
    const turn = await this.#phone.say(speech.pcm, {
      label: written(step.pieces),
      expectReply: step.wants === 'answer',
    });
    this.#note('interruption', step, written(step.pieces), turn, pausesOf(speech, turn, 'open'));
    if (step.wants === 'answer') {
      await this.#hearAnswer();
      if (step.credentials) await this.#answerQuestions(step.credentials, written(step.pieces), prepared);
    } else {
      await this.#phone.pause(WATCHED_MS);
      await this.#over();
    }
  }

  async #hearOut(step: StepOf<'hear-out'>, prepared: PreparedStep): Promise<void> {
    await this.#ask(step.ask, prepared.ask!);
    const startedAt = monotonicNow();
    await this.#over();
    this.#note('listening', step, step.ask, { startedAt, endedAt: monotonicNow() });
  }

  async #ask(text: string, pcm: Int16Array): Promise<void> {
    const turn = await this.#phone.say(pcm, { label: text });
    this.#note('turn', {}, text, turn);
    await this.#answerBegins();
  }

  async #hearAnswer(): Promise<void> {
    if (await this.#answerBegins()) await this.#over();
  }

  async #answerBegins(): Promise<boolean> {
    try {
      await this.#phone.waitForSpeech(ANSWER_WITHIN_MS);
      return true;
    } catch (error) {
      if (error instanceof FarEndSilent) return false; // A missed turn; the caller goes on with the next.
      throw error;
    }
  }

  async #over(): Promise<void> {
    await this.#phone.waitForSilence(OVER_AFTER_MS, LONGEST_ANSWER_MS);
  }

  /** Waits until the bot has gone on speaking for so long; false when it has fallen silent first. */
  async #botSpeaksFor(ms: Ms): Promise<boolean> {
    const { ear } = this.#phone.line;
    const since = monotonicNow();
    for (;;) {
      const now = monotonicNow();
      if ((ear.silentFor(now) ?? 0) > OVER_AFTER_MS) return false;
      if (now - since >= ms && ear.speaking(now, 60)) return true;
      await this.#phone.pause(10);
    }
  }

  #note(
    kind: Moment['kind'],
    step: Pick<StepOf<'interrupt'>, 'expect' | 'follows' | 'tags'> & {
      wants?: 'quiet' | 'answer';
      continues?: boolean;
    },
    text: string,
    times: Pick<Turn, 'startedAt' | 'endedAt'>,
    pauses: readonly TimedPause[] = [],
  ): void {
    if (times.startedAt === undefined || times.endedAt === undefined) return;
    const { expect, follows, tags = {}, wants, continues } = step;
    const { startedAt, endedAt } = times;
    this.moments.push({ kind, text, startedAt, endedAt, pauses, expect, follows, wants, continues, tags });
  }
}

/** The audio begins with its first voiced window, so its offsets count from the turn's start. */
function pausesOf(speech: JoinedSpeech, turn: Turn, site: PauseSite): TimedPause[] {
  const { startedAt } = turn;
  if (startedAt === undefined) return [];
  return speech.pauses.map(({ ms, from, to }) => ({
    ms,
    site,
    from: startedAt + from / PER_MS,
    to: startedAt + to / PER_MS,
  }));
}

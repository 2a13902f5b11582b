import { monotonicNow } from '../../src/core/clock.ts';
import { HungUp } from '../../tests/support/phone/failures.ts';
import type { Phone } from '../../tests/support/phone/phone.ts';
import { readSpeechFile } from '../../tests/support/phone/voice.ts';
import type { Expectation, Step } from './script.ts';
import type { CallTranscript, SeenTransaction } from './transcript.ts';

export interface RunnerOptions {
  readonly phone: Phone;
  /** Undefined when the connector's API cannot be reached: expectations in words then fail as unchecked. */
  readonly transcript: CallTranscript | undefined;
  /** Told of each expectation, met or not. */
  readonly onExpectation?: (description: string, met: boolean) => void;
  /** Resolves WAV paths of the script. */
  readonly resolvePath: (path: string) => string;
}

/** An expectation of the script, or a wait, that was not met. */
export class ScriptFailed extends Error {}

const POLL_MS = 100;
/** The connector stamps a reply before its first packet reaches us, and clocks of one machine agree this well. */
const CLOCK_SLACK_MS = 250;
/** Another machine's clock, when off by more than this, is corrected by the difference at the start of the call. */
const CLOCK_OFFSET_MS = 2000;

/** Carries a script out on an answered call. Throws ScriptFailed at the first thing that does not come as expected. */
export class ScriptRunner {
  readonly #options: RunnerOptions;
  readonly #answeredWall = Date.now();
  /** Wall clock at which the caller's last turn began; what the bot says after it answers it. */
  #since = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#step(step);
  }

  async #step(step: Step): Promise<void> {
    const { phone } = this.#options;
    if (step.wait) return this.#wait(step.wait.silence * 1000, step.wait.within * 1000);
    if (step.pause !== undefined) return this.#may(phone.pause(step.pause * 1000));
    if (step.expect) return this.#expect(step.expect);
    if (step.if) {
      const { bot, within } = step.if;
      const found = await this.#poll(within * 1000, async () => this.#botSaid(bot));
      return this.run(found ? step.if.do : step.if.else);
    }
    if (step.hangup) return phone.hangup();
    if (step.hold) return void (await this.#may(phone.hold()));
    if (step.resume) return void (await this.#may(phone.resume()));
    await this.#speak(step);
  }

  async #speak(step: Step): Promise<void> {
    const { phone, resolvePath } = this.#options;
    const begun = Date.now();
    if (step.interrupt !== undefined) {
      const { say, after } = typeof step.interrupt === 'string' ? { say: step.interrupt, after: 1 } : step.interrupt;
      const turn = await this.#may(phone.interrupt(say, { afterMs: after * 1000 }));
      this.#since = wallOf(turn.startedAt) ?? begun;
      return;
    }
    this.#since = begun;
    if (step.press !== undefined) {
      const press = typeof step.press === 'string' ? { digits: step.press } : step.press;
      const ms = (value: number | undefined) => (value === undefined ? undefined : value * 1000);
      const { digits, endPackets } = press;
      await this.#may(phone.press(digits, { keyMs: ms(press.key), gapMs: ms(press.gap), endPackets }));
    } else if (step.say !== undefined) {
      const say = typeof step.say === 'string' ? { text: step.say, reply: undefined } : step.say;
      const audio = 'wav' in say ? await readSpeechFile(resolvePath(say.wav)) : say.text;
      const label = 'wav' in say ? say.wav : say.text;
      await this.#may(phone.say(audio, { expectReply: say.reply ?? true, label }));
    }
  }

  /** A far end that hangs up after its last words has been waited for all the same. */
  async #wait(silenceMs: number, timeoutMs: number): Promise<void> {
    const { phone } = this.#options;
    try {
      await phone.waitForSpeech(timeoutMs);
    } catch (error) {
      throw new ScriptFailed(messageOf(error));
    }
    try {
      await phone.waitForSilence(silenceMs, 60_000);
    } catch (error) {
      if (!(error instanceof HungUp)) throw new ScriptFailed(messageOf(error));
    }
  }

  async #expect(expected: Expectation): Promise<void> {
    const checks = this.#checks(expected);
    const { transcript, onExpectation } = this.#options;
    for (const { description, inWords, met } of checks) {
      if (inWords && !transcript) {
        onExpectation?.(description, false);
        throw new ScriptFailed(`${description}: cannot be checked without the connector's API`);
      }
      const ok = await this.#poll(expected.within * 1000, met);
      onExpectation?.(description, ok);
      if (!ok) throw new ScriptFailed(`${description}: not within ${expected.within} s; ${this.#lastWords()}`);
    }
  }

  #checks(expected: Expectation): { description: string; inWords: boolean; met: () => Promise<boolean> }[] {
    const { phone, transcript } = this.#options;
    const checks: { description: string; inWords: boolean; met: () => Promise<boolean> }[] = [];
    const add = (description: string, inWords: boolean, met: () => Promise<boolean>) =>
      checks.push({ description, inWords, met });
    const { bot, caller, interrupted, transaction } = expected;
    if (bot) add(`the bot says /${bot.source}/`, true, async () => this.#botSaid(bot));
    if (caller) add(`the bot understands /${caller.source}/`, true, async () => this.#heard(caller));
    if (interrupted !== undefined) {
      add(`the bot was ${interrupted ? '' : 'not '}interrupted`, true, async () => {
        const some = transcript!.utterances.some((row) => row.speaker === 'assistant' && row.interrupted === true);
        return some === interrupted;
      });
    }
    if (transaction) {
      const wanted = Object.entries(transaction).map(([key, value]) => `${key} ${value}`);
      add(`a transaction with ${wanted.join(', ')}`, true, async () => {
        const rows = await transcript!.refresh().catch(() => [] as readonly SeenTransaction[]);
        return rows.some(
          (row) =>
            row.transactionType === transaction.type &&
            (transaction.outcome === undefined || row.outcome === transaction.outcome) &&
            (transaction.authenticationStatus === undefined ||
              row.authenticationStatus === transaction.authenticationStatus),
        );
      });
    }
    if (expected.hangup) add('the bot hangs up', false, async () => phone.ended?.by === 'far-end');
    return checks;
  }

  #botSaid(pattern: RegExp): boolean {
    const said = this.#recent('assistant');
    return pattern.test(said.join(' ')) || said.some((text) => pattern.test(text));
  }

  #heard(pattern: RegExp): boolean {
    return this.#recent('caller').some((text) => pattern.test(text));
  }

  #recent(speaker: string): string[] {
    const { transcript } = this.#options;
    if (!transcript) return [];
    const offset = this.#clockOffset();
    return transcript.utterances
      .filter((row) => row.speaker === speaker)
      .filter((row) => Date.parse(row.startedAt) - offset >= this.#since - CLOCK_SLACK_MS)
      .map((row) => row.text);
  }

  #clockOffset(): number {
    const start = this.#options.transcript?.session?.callStartTime;
    if (start === undefined) return 0;
    const offset = Date.parse(start) - this.#answeredWall;
    return Math.abs(offset) < CLOCK_OFFSET_MS ? 0 : offset;
  }

  #lastWords(): string {
    const rows = this.#options.transcript?.utterances ?? [];
    const last = rows.findLast((row) => row.speaker === 'assistant');
    return last ? `the bot last said "${last.text}"` : 'the bot has said nothing in words';
  }

  async #poll(timeoutMs: number, met: () => Promise<boolean>): Promise<boolean> {
    const deadline = monotonicNow() + timeoutMs;
    for (;;) {
      if (await met()) return true;
      if (monotonicNow() >= deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async #may<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw new ScriptFailed(messageOf(error));
    }
  }
}

function wallOf(at: number | undefined): number | undefined {
  return at === undefined ? undefined : Date.now() - (monotonicNow() - at);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

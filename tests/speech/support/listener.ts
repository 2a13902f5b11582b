import { monotonicNow } from '../../../src/core/clock.ts';
import type { ListenMessage } from '../../../src/media/ports.ts';
import type { AsrResult, AsrStream, Recognizer, SpeechHints } from '../../../src/speech/ports.ts';

/** A call at the recogniser: sends what a media worker would send and keeps what comes back. */
export class Listener {
  readonly results: AsrResult[] = [];
  readonly failures: Error[] = [];
  readonly stream: AsrStream;
  #segment = 0;
  #waiting: { done: (waiter: Listener) => boolean; resolve: () => void }[] = [];

  constructor(recognizer: Recognizer, hints: SpeechHints) {
    this.stream = recognizer.open({
      call: 'a-call',
      hints,
      onResult: (result) => {
        this.results.push(result);
        this.#wake();
      },
      onFailure: (error) => {
        this.failures.push(error);
        this.#wake();
      },
    });
  }

  /** One whole segment; resolves with its final result. Rejects when the stream fails before. */
  async hears(pcm: Int16Array): Promise<AsrResult> {
    const segment = this.begin(pcm);
    this.end();
    const failed = this.failures.length;
    await this.until(() => this.final(segment) !== undefined || this.failures.length > failed);
    const final = this.final(segment);
    if (final === undefined) throw this.failures.at(-1)!;
    return final;
  }

  /** The beginning of a segment, in packets of 20 ms. */
  begin(pcm: Int16Array): number {
    const segment = ++this.#segment;
    this.#post({ type: 'segment-start', segment, at: monotonicNow() });
    this.#say(pcm);
    return segment;
  }

  /** The VAD says that the caller has fallen silent; the segment goes on. */
  pause(): void {
    this.#post({ type: 'pause', segment: this.#segment, at: monotonicNow() });
  }

  /** The caller goes on in the same segment. */
  resume(pcm: Int16Array): void {
    this.#post({ type: 'resume', segment: this.#segment, at: monotonicNow() });
    this.#say(pcm);
  }

  end(): void {
    this.#post({ type: 'segment-end', segment: this.#segment, at: monotonicNow() });
  }

  partials(segment = this.#segment): AsrResult[] {
    return this.results.filter((result) => result.segment === segment && result.kind === 'partial');
  }

  final(segment = this.#segment): AsrResult | undefined {
    return this.results.find((result) => result.segment === segment && result.kind === 'final');
  }

  until(done: (listener: Listener) => boolean): Promise<void> {
    if (done(this)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ done, resolve }));
  }

  #say(pcm: Int16Array): void {
    for (let at = 0; at < pcm.length; at += 160) {
      const frame = pcm.slice(at, at + 160);
      this.#post({ type: 'audio', segment: this.#segment, at: monotonicNow(), pcm: frame });
    }
  }

  #post(message: ListenMessage): void {
    this.stream.audio.postMessage(message);
  }

  #wake(): void {
    this.#waiting = this.#waiting.filter(({ done, resolve }) => {
      if (!done(this)) return true;
      resolve();
      return false;
    });
  }
}

export const BANKING: SpeechHints = {
  key: 'test-banking',
  secret: false,
  jsgf: `#JSGF V1.0;
grammar banking;
public <s> = [ /0.2/ <lead> ] <request> [ /0.2/ ( please | thank you ) ] | <yes> | <no>;
<lead> = um | hello | please | hello can you tell me | i want to know;
<request> = where is my [ new ] [ ( credit | debit ) ] card
  | where my [ new ] [ ( credit | debit ) ] card is
  | when will my [ new ] [ ( credit | debit ) ] card arrive
  | what is my [ ( current | savings ) ] [ account ] balance
  | how much money ( do i have | is in my account )
  | ( show me | what are ) my last [ five ] transactions
  | ( block | stop ) my [ ( credit | debit ) ] card
  | i [ have ] lost my [ ( credit | debit ) ] card
  | [ i want to ] ( speak | talk ) to ( an agent | a person | somebody )
  | goodbye;
<yes> = yes | yes please | that's right | correct;
<no> = no | no thank you | that's wrong;
`,
};

export function digits(count: number): SpeechHints {
  return {
    key: `test-digits-${count}`,
    secret: true,
    jsgf: `#JSGF V1.0;
grammar digits;
public <s> = [ /0.1/ ( my number is | it is ) ] ${'<d> '.repeat(count)};
<d> = zero | oh | one | two | three | four | five | six | seven | eight | nine;
`,
  };
}

import type { Ms } from '../../core/clock.ts';
import { TokenBucket } from '../../core/token-bucket.ts';
import { FRAME_MS, type Pcm } from '../audio.ts';
import type { MediaEvent } from '../ports.ts';
import { KeyTones } from './key-tones.ts';

/** Around a key heard as a tone: its beginning before it was sure, and what rings on. */
const AROUND_TONE_MS: Ms = 60;
/** No finger and no autodialler is faster (ITU-T Q.24: 80 ms a key); what is would fill the record of the call. */
const MOST_KEYS = { perSecond: 15, burst: 40 };

export interface FarKeysHooks {
  raise(event: MediaEvent): void;
  /** What was said then is taken out of the recording: as it arrived, and as it was taken for the recording. */
  silenceArrived(from: Ms, to: Ms): void;
  silenceTaken(from: Ms, to: Ms): void;
}

/** The keys that the far end presses, as events or as tones: each is told once, and nothing of it is recorded. */
export class FarKeys {
  /** The far end has said that it sends keys as events. */
  asEvents = false;
  readonly #tones = new KeyTones();
  readonly #hooks: FarKeysHooks;
  readonly #events = new TokenBucket(MOST_KEYS, 0);
  /** Keys as events that were told, and whose letting go is to be told. */
  #down = 0;

  constructor(hooks: FarKeysHooks) {
    this.#hooks = hooks;
  }

  down(at: Ms, digit: string, durationMs: Ms): void {
    if (!this.#events.take(MOST_KEYS, at)) return;
    this.#down++;
    // Gateways let the beginning of the tone through before they have recognised it.
    this.#hooks.silenceArrived(at, at + durationMs);
    this.#hooks.raise({ type: 'dtmf', at, digit, durationMs });
  }

  up(at: Ms, digit: string, durationMs: Ms): void {
    if (this.#down === 0) return;
    this.#down--;
    this.#hooks.raise({ type: 'dtmf-end', at, digit, durationMs });
  }

  /** The frame that is about to be recorded at `due`. Its tones count as keys where there are no events. */
  hear(frame: Pcm | undefined, due: Ms): void {
    const key = this.#tones.push(frame, due);
    if (key === undefined) return;
    const { digit, state, since, until } = key;
    const from = state === 'down' ? since : until - FRAME_MS;
    this.#hooks.silenceTaken(from - AROUND_TONE_MS, until + AROUND_TONE_MS);
    if (this.asEvents || state === 'held') return;
    const durationMs = until - since;
    if (state === 'down') this.#hooks.raise({ type: 'dtmf', at: due, digit, durationMs, tone: true });
    else this.#hooks.raise({ type: 'dtmf-end', at: due, digit, durationMs, tone: true });
  }
}

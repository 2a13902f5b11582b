import type { Ms } from '../../core/clock.ts';
import type { MediaEvent } from '../../media/ports.ts';

type KeyDown = Extract<MediaEvent, { type: 'dtmf' }>;
type KeyUp = Extract<MediaEvent, { type: 'dtmf-end' }>;

export interface LegKeysHooks {
  /** A key was pressed, once however it came. */
  down(key: KeyDown): void;
  /** And let go, where nobody who hears the audio has heard it: it has to be passed on. */
  up(digit: string, durationMs: Ms): void;
}

/** An INFO comes when the key has been let go; its tone was heard before that. */
const SAME_PRESS_MS: Ms = 1_500;
/** Of an INFO that does not say how long it was pressed. */
const USUAL_MS: Ms = 160;

/** The keys of one leg: as telephone events, by INFO, or as tones. What comes as a tone and by INFO is one key. */
export class LegKeys {
  readonly #hooks: LegKeysHooks;
  /** It sends INFO: its tones say nothing new. */
  #informed = false;
  /** Its keys are in the audio. */
  #audible = false;
  /** The last that counted. */
  #tone: { digit: string; at: Ms } | undefined;

  constructor(hooks: LegKeysHooks) {
    this.#hooks = hooks;
  }

  byMedia(key: KeyDown | KeyUp): void {
    if (key.type === 'dtmf-end') {
      if (!key.tone) this.#hooks.up(key.digit, key.durationMs);
      return;
    }
    if (key.tone) {
      this.#audible = true;
      if (this.#informed) return;
      this.#tone = { digit: key.digit, at: key.at };
    }
    this.#hooks.down(key);
  }

  bySignalling(digit: string, durationMs: Ms = USUAL_MS, at: Ms): void {
    this.#informed = true;
    const again = this.#tone?.digit === digit && at - this.#tone.at < SAME_PRESS_MS;
    this.#tone = undefined;
    if (!again) this.#hooks.down({ type: 'dtmf', at, digit, durationMs });
    if (!this.#audible) this.#hooks.up(digit, durationMs);
  }
}

/** What a caller asks for. */
export type RateChange = 'slower' | 'normal' | 'faster';

/** Stands in the history, for language models. */
export const RATE_NOTES: Record<RateChange, string> = {
  slower: 'The caller asked for it, so you now speak more slowly.',
  normal: 'The caller asked for it, so you now speak at normal speed.',
  faster: 'The caller asked for it, so you now speak faster.',
};

/** Steps of pace; below 0.65 words fall apart, above 1.4 the telephone band blurs them. */
const STEPS = [0.65, 0.8, 1, 1.2, 1.4] as const;
const NORMAL = STEPS.indexOf(1);

/** How fast the bot speaks in this call. Each "slower" or "faster" is one step, up to the last. Pure. */
export class SpeechRate {
  #step = NORMAL;

  /** 1 is the voice's own pace. */
  get value(): number {
    return STEPS[this.#step]!;
  }

  change(change: RateChange): void {
    const step = change === 'normal' ? NORMAL : this.#step + (change === 'slower' ? -1 : 1);
    this.#step = Math.min(STEPS.length - 1, Math.max(0, step));
  }
}

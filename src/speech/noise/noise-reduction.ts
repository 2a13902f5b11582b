import type { Pcm } from '../../media/audio.ts';
import { Fft } from './fft.ts';

/** 32 ms at 8 kHz. */
const WINDOW = 256;
const HOP = WINDOW / 2;
const BINS = WINDOW / 2 + 1;
/** Windows of a segment that show the background before anyone speaks: most of the pre-roll. */
const LEARNING = 14;
/** A window this much louder than the quietest is no background, even while learning. */
const SAME_BACKGROUND = 4;
/** Above this many times the background a bin carries speech, and its background is only let rise slowly. */
const SPEECH_RATIO = 3;
const FOLLOW = 0.04;
const RISE = 1.003;
/** Weight of the window before in the a-priori SNR (Ephraim and Malah's decision-directed estimate). */
const DECISION = 0.96;
/** Least gain, -26 dB: more leaves musical noise that sounds like phones to the decoder. */
const FLOOR = 0.05;
/** A quieter background than this does no harm, and the speech is left as it is. */
const QUIET_DBFS = -54;
/**
 * Between the quartiles of the background's level over time, dB: 0.3 in white noise, more in that of engines and fans, at least 1.5 of
 * four talkers at once. Quartiles, because a lost packet is no change of the background.
 */
const STEADY_DB = 1.1;

/** What is heard before anyone speaks: nothing, something steady (a fan, a street, a bad line), or what comes and goes (other voices). */
export type Background = 'quiet' | 'steady' | 'restless';

/**
 * Takes steady background noise out of speech before it is recognised: a Wiener gain per frequency from the
 * decision-directed a-priori SNR (Ephraim and Malah 1984, Scalart and Filho 1996), the background learnt from the
 * pre-roll and followed in the pauses. Output lags by one window at most; everything is allocated once. Not for ears.
 */
export class NoiseReduction {
  readonly #fft = new Fft(WINDOW);
  readonly #shape = Float64Array.from({ length: WINDOW }, (_, i) => Math.sin((Math.PI * (i + 0.5)) / WINDOW));
  readonly #input = new Float64Array(WINDOW);
  readonly #overlap = new Float64Array(WINDOW);
  readonly #re = new Float64Array(WINDOW);
  readonly #im = new Float64Array(WINDOW);
  readonly #power = new Float64Array(BINS);
  readonly #noise = new Float64Array(BINS);
  /** A-posteriori SNR of the window before, after its gain. */
  readonly #before = new Float64Array(BINS);
  /** Samples waiting in the second half of #input. */
  #waiting = 0;
  #learnt = 0;
  #windows = 0;
  #quietest = Number.POSITIVE_INFINITY;
  #speechPower = 0;
  #speechWindows = 0;
  readonly #levels = new Float64Array(LEARNING);
  /** What is heard before anyone speaks, once that is over; and what is louder afterwards. */
  #roomPower: number | undefined;
  #louderPower = 0;
  #louderWindows = 0;

  /** A new segment, with a background of its own. */
  begin(): void {
    this.#input.fill(0);
    this.#overlap.fill(0);
    this.#noise.fill(0);
    this.#before.fill(0);
    this.#waiting = 0;
    this.#learnt = 0;
    this.#windows = 0;
    this.#quietest = Number.POSITIVE_INFINITY;
    this.#speechPower = 0;
    this.#speechWindows = 0;
    this.#roomPower = undefined;
    this.#louderPower = 0;
    this.#louderWindows = 0;
  }

  /** What can be given out by now: a multiple of 16 ms, maybe nothing. */
  process(pcm: Pcm): Pcm {
    const out = new Int16Array(Math.floor((this.#waiting + pcm.length) / HOP) * HOP);
    let written = 0;
    for (const sample of pcm) {
      this.#input[HOP + this.#waiting++] = sample;
      if (this.#waiting < HOP) continue;
      this.#window();
      for (let i = 0; i < HOP; i++) out[written++] = clip(this.#overlap[i]!);
      this.#overlap.copyWithin(0, HOP);
      this.#overlap.fill(0, HOP);
      this.#input.copyWithin(0, HOP);
      this.#waiting = 0;
    }
    return out;
  }

  /** The rest of the segment. */
  finish(): Pcm {
    const rest = this.#waiting + HOP;
    return this.process(new Int16Array(WINDOW - this.#waiting)).subarray(0, rest);
  }

  /**
   * Level of the speech above its background in this segment, dB; undefined when the background is too quiet to matter
   * or nothing stood out of it.
   */
  get snrDb(): number | undefined {
    const noise = this.#noisePower();
    if (this.#speechWindows === 0 || isQuiet(noise)) return undefined;
    return 10 * Math.log10(Math.max(1e-3, this.#speechPower / this.#speechWindows / noise));
  }

  /**
   * The same above what is usually heard before anyone speaks. Among voices the background is their quietest moment, which
   * tells nothing of how loud they are: in babble of 10 dB every other segment seemed to stand 25 dB above it.
   */
  get aboveRoomDb(): number | undefined {
    const room = this.#roomPower;
    if (room === undefined || this.#louderWindows === 0 || isQuiet(room)) return undefined;
    return 10 * Math.log10(this.#louderPower / this.#louderWindows / room);
  }

  /** Of this segment, from its first quarter of a second; undefined before that. */
  get background(): Background | undefined {
    if (this.#windows <= LEARNING) return undefined;
    if (isQuiet(this.#noisePower())) return 'quiet';
    return this.#levelBefore(0.75) - this.#levelBefore(0.25) < STEADY_DB ? 'steady' : 'restless';
  }

  /** Of so large a share of the windows before anyone speaks the level is below this, dB. */
  #levelBefore(share: number): number {
    return this.#levels.toSorted()[Math.floor(share * LEARNING)]!;
  }

  #window(): void {
    const { re, im } = { re: this.#re, im: this.#im };
    for (let i = 0; i < WINDOW; i++) {
      re[i] = this.#input[i]! * this.#shape[i]!;
      im[i] = 0;
    }
    this.#fft.forward(re, im);
    let total = 0;
    for (let k = 0; k < BINS; k++) {
      const power = re[k]! ** 2 + im[k]! ** 2;
      this.#power[k] = power;
      total += power;
    }
    // the first window is half empty
    if (this.#windows > 0) {
      if (this.#windows <= LEARNING) this.#levels[this.#windows - 1] = 10 * Math.log10(total + 1);
      this.#follow(total);
    }
    this.#windows++;
    if (this.#windows > LEARNING) {
      // the lower quartile: a first sound may be among them
      this.#roomPower ??= 10 ** (this.#levelBefore(0.25) / 10);
      if (total > 2 * this.#roomPower) {
        this.#louderPower += total - this.#roomPower;
        this.#louderWindows++;
      }
    }
    const background = this.#noisePower();
    if (background > 0 && total > 2 * background) {
      this.#speechPower += total - background;
      this.#speechWindows++;
    }
    // nothing is known before the first whole window
    const known = this.#learnt > 0;
    const quiet = !known || isQuiet(background);
    for (let k = 0; k < BINS; k++) {
      const above = this.#power[k]! / (this.#noise[k]! + 1);
      const prior = DECISION * this.#before[k]! + (1 - DECISION) * Math.max(0, above - 1);
      const gain = Math.max(FLOOR, prior / (1 + prior));
      this.#before[k] = known ? gain * gain * above : 0;
      if (quiet) continue;
      re[k] = re[k]! * gain;
      im[k] = im[k]! * gain;
      if (k === 0 || k === WINDOW / 2) continue;
      re[WINDOW - k] = re[k]!;
      im[WINDOW - k] = -im[k]!;
    }
    this.#fft.inverse(re, im);
    for (let i = 0; i < WINDOW; i++) this.#overlap[i] = this.#overlap[i]! + re[i]! * this.#shape[i]!;
  }

  #follow(total: number): void {
    if (this.#learnt < LEARNING) {
      if (total * SAME_BACKGROUND < this.#quietest) this.#learnt = 0;
      this.#quietest = Math.min(this.#quietest, total);
      if (total <= this.#quietest * SAME_BACKGROUND) {
        const weight = 1 / ++this.#learnt;
        for (let k = 0; k < BINS; k++) this.#noise[k] = this.#noise[k]! + weight * (this.#power[k]! - this.#noise[k]!);
        return;
      }
    }
    for (let k = 0; k < BINS; k++) {
      const noise = this.#noise[k]!;
      const power = this.#power[k]!;
      this.#noise[k] = power < SPEECH_RATIO * noise ? noise + FOLLOW * (power - noise) : noise * RISE;
    }
  }

  #noisePower(): number {
    let sum = 0;
    for (let k = 0; k < BINS; k++) sum += this.#noise[k]!;
    return sum;
  }
}

/** `power`: sum over the bins of half the spectrum; the window takes half of the signal's power. */
function isQuiet(power: number): boolean {
  return 10 * Math.log10((power * 4) / WINDOW ** 2 / 32768 ** 2 + 1e-12) < QUIET_DBFS;
}

function clip(value: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(value)));
}

import { FRAME_SAMPLES, type Pcm, SAMPLE_RATE, saturated } from '../audio.ts';

/**
 * Which side of a leg is meant: what its far end says, after jitter buffer and concealment, or all that its far end is
 * being sent.
 */
export type LegSide = 'spoken' | 'heard';

/** One leg's frames of the tick that runs; undefined is silence. */
export interface Voices {
  /** The far end's voice. */
  readonly spoken: Pcm | undefined;
  /** What is played to the far end by itself: its bot, its music. */
  readonly said: Pcm | undefined;
}

export interface HearingSource<Leg> {
  of: Leg;
  side: LegSide;
  /** Factor; 1 is as it is. */
  gain: number;
}

/** One thing that can be heard: `heard` is taken apart into what is said to a leg and who is spoken to it. */
export interface HearingPart<Leg> {
  of: Leg;
  what: keyof Voices;
  gain: number;
}

/**
 * Takes apart what `listener` hears. Nobody hears their own voice, however it comes round to them (mix-minus), and what
 * comes on several ways is heard once, as loud as on the loudest. Legs may listen to each other in circles.
 */
export function partsHeard<Leg>(
  listener: Leg,
  sourcesOf: (leg: Leg) => readonly HearingSource<Leg>[],
): HearingPart<Leg>[] {
  const parts = new Map<Leg, Map<keyof Voices, number>>();
  const add = (of: Leg, what: keyof Voices, gain: number) => {
    if (of === listener) return;
    const known = parts.get(of) ?? new Map<keyof Voices, number>();
    parts.set(of, known.set(what, Math.max(gain, known.get(what) ?? 0)));
  };
  const follow = (leg: Leg, by: number, within: readonly Leg[]) => {
    for (const { of, side, gain } of sourcesOf(leg)) {
      if (side === 'spoken') {
        add(of, 'spoken', by * gain);
      } else if (!within.includes(of)) {
        add(of, 'said', by * gain);
        follow(of, by * gain, [...within, of]);
      }
    }
  };
  follow(listener, 1, [listener]);
  return [...parts].flatMap(([of, sides]) => [...sides].map(([what, gain]) => ({ of, what, gain })));
}

/** Of all legs of this thread: each is sent what it hears before the next one's turn comes. */
const sums = new Int32Array(FRAME_SAMPLES);
const mixed = new Int16Array(FRAME_SAMPLES);

/** A voice that comes or goes in mid-word does so within this, without a click. */
const RAMP_SAMPLES = (SAMPLE_RATE * 5) / 1000;

interface Input {
  from: Voices;
  what: keyof Voices;
  /** As of the last frame. */
  gain: number;
  target: number;
}

/**
 * What one leg is sent: its own playout and the voices it hears, added up without wrapping round. Works on the frames
 * of one tick, so it adds no delay; allocates only when the voices change.
 */
export class Mix {
  #inputs: Input[] = [];

  /** No voices, and none that is still going. */
  get empty(): boolean {
    return this.#inputs.length === 0;
  }

  /** From the next frame on. */
  set(parts: readonly HearingPart<Voices>[]): void {
    for (const input of this.#inputs) input.target = 0;
    for (const { of, what, gain } of parts) {
      const known = this.#inputs.find((input) => input.from === of && input.what === what);
      if (known) known.target = gain;
      else this.#inputs.push({ from: of, what, gain: 0, target: gain });
    }
  }

  /** The frame to send; undefined is silence. The result is used again by the next mix, or is one of the frames given in. */
  frame(own: Pcm | undefined): Pcm | undefined {
    const inputs = this.#inputs;
    let only = own;
    let sounding = own === undefined ? 0 : 1;
    let plain = true;
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i]!;
      const pcm = input.from[input.what];
      if (pcm === undefined) continue;
      only = pcm;
      sounding++;
      if (input.gain !== 1 || input.target !== 1) plain = false;
    }
    if (sounding === 0 || (sounding === 1 && plain)) {
      this.#settle();
      return only;
    }
    sums.fill(0);
    if (own !== undefined) for (let i = 0; i < FRAME_SAMPLES; i++) sums[i] = own[i]!;
    for (let i = 0; i < inputs.length; i++) this.#add(inputs[i]!);
    this.#settle();
    for (let i = 0; i < FRAME_SAMPLES; i++) mixed[i] = saturated(sums[i]!);
    return mixed;
  }

  #add(input: Input): void {
    const pcm = input.from[input.what];
    if (pcm === undefined) return;
    const sum = sums;
    const { gain, target } = input;
    let from = 0;
    if (gain !== target) {
      const step = (target - gain) / RAMP_SAMPLES;
      for (; from < RAMP_SAMPLES; from++) sum[from] = sum[from]! + Math.round(pcm[from]! * (gain + step * (from + 1)));
    }
    if (target === 1) for (let i = from; i < FRAME_SAMPLES; i++) sum[i] = sum[i]! + pcm[i]!;
    else if (target !== 0) for (let i = from; i < FRAME_SAMPLES; i++) sum[i] = sum[i]! + Math.round(pcm[i]! * target);
  }

  /** The frame is over: gains are where they were to go, and who has gone is gone. */
  #settle(): void {
    let gone = false;
    for (let i = 0; i < this.#inputs.length; i++) {
      const input = this.#inputs[i]!;
      input.gain = input.target;
      if (input.target === 0) gone = true;
    }
    if (gone) this.#inputs = this.#inputs.filter((input) => input.target !== 0);
  }
}

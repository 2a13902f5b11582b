import { type Pcm, SAMPLE_RATE, saturated } from '../audio.ts';

/** Sounds for people who wait, made here, so that nobody's rights are in them. All lie in shared memory: no copies. */

/** Seconds between the notes. */
const STEP_S = 0.5;
/** A pluck has sunk to a third after this. */
const DECAY_S = 0.9;
/** Peak of one note; several sound at once. About -22 dBFS in all, below speech. */
const NOTE_LEVEL = 2600;
/** Semitones above A3 (220 Hz): four broken chords, two bars each. */
const NOTES: readonly (readonly number[])[] = [
  [3, 7, 10, 15, 10, 7, 19, 15],
  [0, 7, 12, 15, 12, 7, 19, 15],
  [-4, 3, 8, 12, 15, 12, 8, 20],
  [-2, 5, 10, 14, 17, 14, 10, 17],
];

let music: Pcm | undefined;
let ringing: Pcm | undefined;

/** Sixteen seconds of quiet plucked chords that go round without a seam. Made once. */
export function holdMusic(): Pcm {
  music ??= compose(NOTES.flat());
  return music;
}

/** What a caller hears while somebody's telephone rings: 440 and 480 Hz, two seconds in six. Made once. */
export function ringingTone(): Pcm {
  if (ringing) return ringing;
  const pcm = shared(6 * SAMPLE_RATE);
  const wave = (hz: number, i: number) => Math.sin((2 * Math.PI * hz * i) / SAMPLE_RATE);
  for (let i = 0; i < 2 * SAMPLE_RATE; i++) pcm[i] = Math.round(1600 * (wave(440, i) + wave(480, i)));
  ringing = pcm;
  return pcm;
}

/** A copy in shared memory, for sounds that many calls play. */
export function sharedSound(pcm: Pcm): Pcm {
  const copy = shared(pcm.length);
  copy.set(pcm);
  return copy;
}

function shared(samples: number): Pcm {
  return new Int16Array(new SharedArrayBuffer(samples * 2));
}

function compose(notes: readonly number[]): Pcm {
  const step = STEP_S * SAMPLE_RATE;
  const pcm = shared(notes.length * step);
  const length = Math.round(4 * DECAY_S * SAMPLE_RATE);
  for (const [nth, semitone] of notes.entries()) {
    const turn = (2 * Math.PI * 220 * 2 ** (semitone / 12)) / SAMPLE_RATE;
    for (let i = 0; i < length; i++) {
      // Ten milliseconds of rise, then a string that loses its overtones first.
      const level = NOTE_LEVEL * Math.min(1, i / 80) * Math.exp(-i / (DECAY_S * SAMPLE_RATE));
      const overtones = Math.exp(-i / (0.25 * SAMPLE_RATE));
      const wave = Math.sin(turn * i) + overtones * (0.4 * Math.sin(2 * turn * i) + 0.15 * Math.sin(3 * turn * i));
      // What rings beyond the end rings into the beginning.
      const at = (nth * step + i) % pcm.length;
      pcm[at] = saturated(pcm[at]! + Math.round(level * wave));
    }
  }
  return pcm;
}

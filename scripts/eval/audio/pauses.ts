import { WINDOW } from '../../../tests/support/phone/level.ts';
import { voicedSpan } from './levels.ts';

const PER_MS = 8;
/** What lies below the voiced level at the edges of speech is kept this long: a cut to zero is heard as a click. */
const TAIL = 6 * WINDOW;

/** A pause inside what the caller says: from the last voiced window before it to the first voiced one behind it. */
export interface InsertedPause {
  readonly ms: number;
  /** From the start of the audio, in samples. */
  readonly from: number;
  readonly to: number;
}

export interface JoinedSpeech {
  readonly pcm: Int16Array;
  readonly pauses: readonly InsertedPause[];
}

/**
 * Joins pieces of speech with pauses of exactly so many ms between the last voiced 10 ms window of one and the first of
 * the next. The quiet ends of the speech lie inside the pause. `pausesMs` has one entry fewer than `pieces`; a multiple
 * of 10 ms keeps the windows aligned. Throws when a piece has no voiced window.
 */
export function joinWithPauses(pieces: readonly Int16Array[], pausesMs: readonly number[]): JoinedSpeech {
  if (pausesMs.length !== pieces.length - 1) throw new Error('one pause between two pieces');
  const cut = pieces.map((pcm) => {
    const span = voicedSpan(pcm);
    if (!span) throw new Error('a piece of speech is silent');
    // Whole windows, so that every piece lies on the window grid of the one before.
    return { pcm, from: span.from, to: span.from + Math.ceil((span.to - span.from) / WINDOW) * WINDOW };
  });
  const speech = cut.reduce((sum, { from, to }) => sum + to - from, 0);
  const pcm = new Int16Array(speech + pausesMs.reduce((sum, ms) => sum + ms * PER_MS, 0));
  const pauses: InsertedPause[] = [];
  let at = 0;
  cut.forEach((piece, i) => {
    const before = pausesMs[i - 1];
    if (before !== undefined) {
      pauses.push({ ms: before, from: at, to: at + before * PER_MS });
      const room = before * PER_MS;
      fadeTail(cut[i - 1]!, pcm.subarray(at, at + Math.min(TAIL, room >> 1)));
      fadeHead(piece, pcm.subarray(at + room - Math.min(TAIL, room >> 1), at + room));
      at += room;
    }
    pcm.set(piece.pcm.subarray(piece.from, piece.to), at);
    at += piece.to - piece.from;
  });
  return { pcm, pauses };
}

interface Cut {
  readonly pcm: Int16Array;
  readonly from: number;
  readonly to: number;
}

function fadeTail({ pcm, to }: Cut, room: Int16Array): void {
  for (let i = 0; i < room.length; i++) room[i] = (pcm[to + i] ?? 0) * (1 - i / room.length);
}

function fadeHead({ pcm, from }: Cut, room: Int16Array): void {
  for (let i = 0; i < room.length; i++) {
    const distance = room.length - i;
    room[i] = room[i]! + (pcm[from - distance] ?? 0) * (1 - distance / room.length);
  }
}

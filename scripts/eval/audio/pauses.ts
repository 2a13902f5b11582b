import { WINDOW } from '../../../tests/support/phone/level.ts';
import { voicedSpan } from './levels.ts';

const PER_MS = 8;
/**
 * Quiet sounds at the edges of speech are kept this long: the f of "five" and the s of "stop" lie below the voiced level,
 * on the telephone as well, and without them nobody could tell the words.
 */
const EDGE = 16 * WINDOW;
/** At the far end of an edge: a cut to zero is heard as a click. */
const FADE = WINDOW;

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
 * the next. The quiet edges of the speech lie inside the pause, and before and behind the whole. `pausesMs` has one entry fewer than `pieces`; a multiple
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
  const head = cut[0] === undefined ? 0 : Math.floor(Math.min(EDGE, cut[0].from) / WINDOW) * WINDOW;
  const last = cut.at(-1);
  const tail = last === undefined ? 0 : Math.min(EDGE, Math.max(0, last.pcm.length - last.to));
  const speech = cut.reduce((sum, { from, to }) => sum + to - from, 0);
  const pcm = new Int16Array(head + speech + pausesMs.reduce((sum, ms) => sum + ms * PER_MS, 0) + tail);
  const pauses: InsertedPause[] = [];
  let at = head;
  cut.forEach((piece, i) => {
    const before = pausesMs[i - 1];
    if (before === undefined) {
      fadeHead(piece, pcm.subarray(0, head));
    } else {
      pauses.push({ ms: before, from: at, to: at + before * PER_MS });
      const room = before * PER_MS;
      fadeTail(cut[i - 1]!, pcm.subarray(at, at + Math.min(EDGE, room >> 1)));
      fadeHead(piece, pcm.subarray(at + room - Math.min(EDGE, room >> 1), at + room));
      at += room;
    }
    pcm.set(piece.pcm.subarray(piece.from, piece.to), at);
    at += piece.to - piece.from;
  });
  if (last !== undefined) fadeTail(last, pcm.subarray(at, at + tail));
  return { pcm, pauses };
}

interface Cut {
  readonly pcm: Int16Array;
  readonly from: number;
  readonly to: number;
}

function fadeTail({ pcm, to }: Cut, room: Int16Array): void {
  for (let i = 0; i < room.length; i++) room[i] = (pcm[to + i] ?? 0) * Math.min(1, (room.length - i) / FADE);
}

function fadeHead({ pcm, from }: Cut, room: Int16Array): void {
  for (let i = 0; i < room.length; i++) room[i] = (pcm[from - room.length + i] ?? 0) * Math.min(1, (i + 1) / FADE);
}

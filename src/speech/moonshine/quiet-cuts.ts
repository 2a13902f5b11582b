/** 8 kHz. A cut is looked for in this part of what may be heard at once. */
const WINDOW = 160;

/**
 * Speech in pieces of at most `most` samples, each cut in the quietest 20 ms of its second half: there is hardly a word
 * there. Pure; no sample is lost or changed.
 */
export function quietCuts(pcm: Int16Array, most: number): Int16Array[] {
  const pieces: Int16Array[] = [];
  let rest = pcm;
  while (rest.length > most) {
    const cut = quietest(rest, Math.floor(most / 2), most);
    pieces.push(rest.subarray(0, cut));
    rest = rest.subarray(cut);
  }
  return [...pieces, rest];
}

/** Before the first sound so much is left of what is quiet. */
const LEFT = 1600;
/** Quiet is what is this much less than the loudest window. */
const QUIET = 1 / 64;

/** Speech from shortly before its first sound on: the model takes speech behind a second of silence for nothing. Pure. */
export function withoutQuietStart(pcm: Int16Array): Int16Array {
  const energies: number[] = [];
  for (let at = 0; at + WINDOW <= pcm.length; at += WINDOW) energies.push(energyOf(pcm, at));
  const loudest = Math.max(0, ...energies);
  const first = energies.findIndex((energy) => energy > loudest * QUIET);
  return pcm.subarray(Math.max(0, first * WINDOW - LEFT));
}

function energyOf(pcm: Int16Array, at: number): number {
  let energy = 0;
  for (let i = at; i < at + WINDOW; i++) energy += pcm[i]! ** 2;
  return energy;
}

/** The middle of the quietest window between two places. */
function quietest(pcm: Int16Array, from: number, to: number): number {
  let best = { at: to, energy: Number.POSITIVE_INFINITY };
  for (let at = from; at + WINDOW <= to; at += WINDOW / 2) {
    const energy = energyOf(pcm, at);
    if (energy < best.energy) best = { at: at + WINDOW / 2, energy };
  }
  return best.at;
}

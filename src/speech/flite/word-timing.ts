/** One phone as spoken; times in seconds from the start of the audio. */
export interface Phone {
  name: string;
  start: number;
  end: number;
}

export const PAUSE = 'pau';

/** Parses flite's `-psdur` output, `name:end name:end …`. */
export function parsePhones(output: string): Phone[] {
  const phones: Phone[] = [];
  let start = 0;
  for (const match of output.matchAll(/(\S+?):(\d+\.\d+)/g)) {
    const end = Number(match[2]);
    phones.push({ name: match[1]!, start, end });
    start = end;
  }
  return phones;
}

/** Parses flite's `-ps` output of words said apart: the phones between pauses. */
export function parsePhoneGroups(output: string): string[][] {
  const groups: string[][] = [];
  let current: string[] = [];
  for (const name of output.split(/\s+/)) {
    if (name === PAUSE || name === '') {
      if (current.length > 0) groups.push(current);
      current = [];
    } else {
      current.push(name);
    }
  }
  if (current.length > 0) groups.push(current);
  return groups;
}

/**
 * When each word was said: start and end in seconds. `expected` are the phones of each word said alone; in a sentence
 * some change or vanish ("the" before a vowel), so both sequences are aligned by least edit distance.
 */
export function alignWords(spoken: readonly Phone[], expected: readonly (readonly string[])[]): [number, number][] {
  const phones = spoken.filter((phone) => phone.name !== PAUSE);
  const names = expected.flatMap((word) => [...word]);
  const place = align(
    phones.map((phone) => phone.name),
    names,
  );
  const times: [number, number][] = [];
  let from = 0;
  let last = phones[0]?.start ?? 0;
  for (const word of expected) {
    // the spoken phones that were aligned with this word's phones
    const first = place[from]!;
    const next = place[from + word.length]!;
    from += word.length;
    // a dash, or a word swallowed whole, is heard with the word before it
    const start = next > first ? Math.max(last, phones[first]!.start) : last;
    const end = next > first ? Math.max(start, phones[next - 1]!.end) : last;
    times.push([start, end]);
    last = end;
  }
  return times;
}

/**
 * For every expected phone the index of the spoken phone it begins at; one more entry at the end. Insertions go to
 * the word before them.
 */
function align(spoken: readonly string[], expected: readonly string[]): number[] {
  const rows = expected.length + 1;
  const columns = spoken.length + 1;
  const cost = new Float32Array(rows * columns);
  for (let i = 1; i < rows; i++) cost[i * columns] = i;
  for (let j = 1; j < columns; j++) cost[j] = j;
  for (let i = 1; i < rows; i++) {
    for (let j = 1; j < columns; j++) {
      cost[i * columns + j] = Math.min(
        cost[(i - 1) * columns + j - 1]! + difference(expected[i - 1]!, spoken[j - 1]!),
        cost[(i - 1) * columns + j]! + 1,
        cost[i * columns + j - 1]! + 1,
      );
    }
  }
  const place = new Array<number>(rows).fill(spoken.length);
  let j = spoken.length;
  for (let i = rows - 1; i > 0; i--) {
    const here = () => cost[i * columns + j]!;
    while (j > 0 && here() === cost[i * columns + j - 1]! + 1 && !matches(i, j)) j--;
    if (j > 0 && matches(i, j)) j--;
    place[i - 1] = j;
  }
  if (rows > 1) place[0] = 0;
  return place;

  function matches(i: number, j: number): boolean {
    const diagonal = cost[(i - 1) * columns + j - 1]! + difference(expected[i - 1]!, spoken[j - 1]!);
    return cost[i * columns + j]! === Math.fround(diagonal);
  }
}

const VOWELS = new Set('aa ae ah ao aw ax axr ay eh er ey ih iy ow oy uh uw'.split(' '));

function difference(a: string, b: string): number {
  if (a === b) return 0;
  return VOWELS.has(a) === VOWELS.has(b) ? 0.75 : 1.5;
}

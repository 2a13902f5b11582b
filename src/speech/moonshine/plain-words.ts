import { spokenText } from '../../sentences/spoken-form.ts';

/** So often in a row a few words are not said: the model has lost its way and repeats itself. */
const REPEATS = 4;
const LONGEST_REPEATED = 4;

/**
 * What a transcript says, as the recogniser by grammar writes it: lower-case words with a blank between them, figures as
 * they are spoken, no punctuation. Of a loop ("nine nine nine nine nine") its beginning is left, once. Pure.
 */
export function plainWords(transcript: string): string {
  const spoken = spokenText(transcript.replaceAll(/[’‘]/g, "'")).toLowerCase();
  const words = spoken.match(/[a-z]+(?:'[a-z]+)*/g) ?? [];
  return withoutLoop(words).join(' ');
}

/** The other way round: a sentence in plain words as a transcript has it, as far as the way of writing tells. Pure. */
export function asWritten(words: string): string {
  const text = words.replaceAll(/\bi\b/g, 'I').replaceAll(/\bpin\b/g, 'PIN');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function withoutLoop(words: readonly string[]): readonly string[] {
  for (let at = 0; at < words.length; at++) {
    for (let length = 1; length <= LONGEST_REPEATED; length++) {
      if (at + length * REPEATS > words.length) break;
      const same = (i: number) => words[at + i] === words[at + (i % length)];
      const span = length * REPEATS;
      if (Array.from({ length: span }, (_, i) => same(i)).every(Boolean)) return words.slice(0, at + length);
    }
  }
  return words;
}

import type { SpanSlot } from './automaton.ts';
import { type ParsedNumber, parseCardinal } from './number-words.ts';
import { digitUnit, partsNoNumber } from './spoken-digits.ts';

/** Words from here to `next` (not included) that a slot can hold, and their value. */
export interface Span {
  next: number;
  value: string;
}

/** What a slot can hold from the word at `at` on. */
export function spansAt(words: readonly string[], at: number, slot: SpanSlot): Span[] {
  return slot.kind === 'digits' ? digitSpan(words, at, slot.length) : numberSpan(words, at, slot.min, slot.max);
}

function digitSpan(words: readonly string[], at: number, length: number): Span[] {
  // The end of a longer number is not a number of its own: "double four seven", "forty seven".
  if (at > 0 && digitUnit(words, at - 1) !== undefined) return [];
  let digits = '';
  for (let next = at; next < words.length && digits.length < length; ) {
    const unit = digitUnit(words, next);
    if (unit === undefined) {
      if (digits === '' || !partsNoNumber(words[next]!)) return [];
      next++;
      continue;
    }
    digits += unit.digits;
    next = unit.next;
    // More digits behind it make it another, longer number.
    if (digits.length === length) return digitUnit(words, next) === undefined ? [{ next, value: digits }] : [];
  }
  return [];
}

function numberSpan(words: readonly string[], at: number, min: number, max: number): Span[] {
  if (at > 0 && (parseCardinal(words, at - 1) !== undefined || words[at - 1] === 'minus')) return [];
  const minus = words[at] === 'minus';
  const found: ParsedNumber | undefined = parseCardinal(words, minus ? at + 1 : at);
  if (found === undefined) return [];
  const value = minus ? -found.value : found.value;
  return value >= min && value <= max ? [{ next: found.next, value: String(value) }] : [];
}

import { posted } from './people.ts';
import type { Expected, Step } from './types.ts';

/** Requests of Jordan (one current account, one debit card), whose answers are short, and what must come of them. */
const customer = '830465';
const balance: Expected = { transactions: [posted('BALANCE_CHECK', customer)], said: 'three hundred (and )?ten' };
const card: Expected = { transactions: [posted('CARD_INQUIRY', customer)], said: 'production' };

export interface Request {
  readonly words: string;
  readonly expect: Expected;
}

export const REQUESTS: readonly Request[] = [
  { words: 'what is my balance', expect: balance },
  { words: 'where is my debit card', expect: card },
  { words: 'how much money is in my current account', expect: balance },
  { words: 'when will my new card arrive', expect: card },
  { words: 'tell me my account balance', expect: balance },
  { words: 'i am still waiting for my debit card', expect: card },
  { words: 'what is the balance of my current account', expect: balance },
  { words: 'can you tell me where my new debit card is', expect: card },
  { words: 'i would like to check my balance', expect: balance },
  { words: 'has my card been sent yet', expect: card },
];

/** The same kind of requests cut where people stop to think. */
export const OPEN_SPLITS: readonly { readonly before: string; readonly after: string; readonly expect: Expected }[] = [
  { before: 'what is my', after: 'account balance', expect: balance },
  { before: 'where is my', after: 'new debit card', expect: card },
  { before: 'how much money is in', after: 'my current account', expect: balance },
  { before: 'i would like to know', after: 'where my debit card is', expect: card },
  { before: 'what is the balance of', after: 'my current account', expect: balance },
  { before: 'when will my new', after: 'debit card arrive', expect: card },
];

/** What is said before the pause could be all: nobody can know, and the numbers are reported apart. */
export const WHOLE_SPLITS: readonly { readonly before: string; readonly after: string; readonly expect: Expected }[] = [
  { before: 'hello', after: 'what is my account balance', expect: balance },
  { before: 'thank you', after: 'where is my debit card', expect: card },
];

export const ask = ({ words, expect }: Request): Step => ({ do: 'say', pieces: [words], expect });

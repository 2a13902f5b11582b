import type { Sources } from '../audio/studio.ts';
import { ALEX, callers, greet, JORDAN, LONG_REQUEST, posted, STRANGER, verifyByKeys, withPausesAt } from './people.ts';
import { ask, OPEN_SPLITS, REQUESTS, WHOLE_SPLITS } from './requests.ts';
import type { Caller, NamedSound, Step } from './types.ts';

/** A conversation before it gets its id, section and seed. */
export interface Draft {
  readonly from: string;
  readonly caller: Caller;
  readonly steps: readonly Step[];
  readonly baseline?: boolean;
}

export interface Size {
  readonly quick: boolean;
  readonly sources: Sources;
  readonly random: () => number;
}

/** Lengths of the pauses people make inside what they say. */
export const PAUSES_MS = [200, 300, 500, 700, 1000, 1500] as const;

const goodbye: Step = { do: 'say', pieces: ['thank you goodbye'], expect: { said: 'bye' } };

/** Requests without pauses, one call at a time. */
export function latency({ quick, sources }: Size): Draft[] {
  const voices = callers(sources).slice(0, quick ? 2 : 6);
  return voices.map((caller, n) => {
    const requests = Array.from({ length: quick ? 5 : 6 }, (_, i) => REQUESTS[(i + n * 5) % REQUESTS.length]!);
    return {
      from: JORDAN.from,
      caller,
      baseline: !quick && n === 0,
      steps: [greet, ...verifyByKeys(JORDAN), ...requests.map(ask), goodbye],
    };
  });
}

/** Pauses inside sentences: every sentence meets every length, over the voices. */
export function pauses({ quick, sources }: Size): Draft[] {
  const voices = callers(sources);
  return Array.from({ length: quick ? 3 : 12 }, (_, n) => {
    const caller = voices[n % voices.length]!;
    const open = OPEN_SPLITS.map(({ before, after, expect }, i): Step => {
      const ms = PAUSES_MS[(i + n) % PAUSES_MS.length]!;
      return { do: 'say', pieces: [before, ms, after], site: 'open', expect };
    });
    const whole = WHOLE_SPLITS[n % WHOLE_SPLITS.length]!;
    const wholeMs = PAUSES_MS[n % PAUSES_MS.length]!;
    const steps: Step[] = [
      ...open,
      { do: 'say', pieces: [whole.before, wholeMs, whole.after], site: 'whole', expect: whole.expect },
    ];
    return {
      from: JORDAN.from,
      caller,
      baseline: quick || n % 2 === 0,
      steps: [greet, ...verifyByKeys(JORDAN), ...steps],
    };
  });
}

export const NUMBER_PLACES: readonly (readonly number[])[] = [[3], [2, 4], [4], [1], [5], [2]];
export const PIN_PLACES: readonly (readonly number[])[] = [[2], [1], [3]];

/** Pauses inside a customer number and a PIN, by strangers. */
export function numbers({ quick, sources }: Size): Draft[] {
  const human: Caller[] = sources.human ? [{ engine: 'human', voice: 'allison', rate: 1 }] : [];
  const voices = [...callers(sources).slice(0, 4), ...human, ...callers(sources).slice(4)];
  const rounds = quick ? 2 : 4;
  return Array.from({ length: rounds * PAUSES_MS.length }, (_, n): Draft => {
    const caller = voices[n % voices.length]!;
    const round = Math.floor(n / PAUSES_MS.length);
    const ms = PAUSES_MS[n % PAUSES_MS.length]!;
    // A number has as many places as pauses have lengths: shift them round by round.
    const places = NUMBER_PLACES[(n + round) % NUMBER_PLACES.length]!;
    const customer = n % 2 === 0 ? ALEX : JORDAN;
    // A human voice that has recorded only digits: its request is spoken by another caller's engine.
    const opening: Step = { do: 'say', pieces: ['please verify me'], expect: { said: 'customer number' } };
    return {
      from: STRANGER,
      caller,
      baseline: round < (quick ? 1 : 2),
      steps: [
        greet,
        opening,
        {
          do: 'say',
          pieces: withPausesAt(caller, customer.number, places, ms),
          site: 'number',
          follows: true,
          expect: { said: '\\bpin\\b', unsaid: 'six digit|six digits' },
        },
        {
          do: 'say',
          pieces: withPausesAt(caller, customer.pin, PIN_PLACES[n % PIN_PLACES.length]!, ms),
          site: 'pin',
          follows: true,
          expect: {
            transactions: [{ type: 'VERIFY', authenticationStatus: 'VERIFIED', customerId: customer.number }],
          },
        },
      ],
    };
  });
}

const words = (text: string): NamedSound['sound'] => ({ kind: 'words', text, dbfs: -23 });

/** What people do while they listen. */
export function backchannels({ quick, sources, random }: Size): Draft[] {
  const voices = callers(sources).slice(0, quick ? 1 : undefined);
  return voices.map((caller, n) => {
    const seed = Math.floor(random() * 1e6);
    const all: { name: string; sound: NamedSound['sound'] }[] = [
      { name: 'okay', sound: words('okay') },
      { name: 'mm-hm', sound: { kind: 'hum', seed: seed + 3 } },
      { name: 'cough', sound: { kind: 'cough', seed } },
      { name: 'right', sound: words('right') },
      { name: 'door', sound: { kind: 'door', seed: seed + 1 } },
      { name: 'yes', sound: words('yes') },
      { name: 'uh huh', sound: words('uh huh') },
      { name: 'I see', sound: words('i see') },
      { name: 'mm-hm', sound: { kind: 'hum', seed: seed + 4 } },
      { name: 'yeah', sound: words('yeah') },
      { name: 'cough', sound: { kind: 'cough', seed: seed + 2 } },
    ];
    // Turned by the voice, so that each kind meets every place in the answer.
    const turned = [...all.slice(n % all.length), ...all.slice(0, n % all.length)];
    const sounds = turned.map((each) => ({ ...each, afterMs: 1500 + Math.round(random() * 1500) }));
    return {
      from: ALEX.from,
      caller,
      steps: [greet, ...verifyByKeys(ALEX), { do: 'backchannels', ask: LONG_REQUEST, sounds }],
    };
  });
}

/** What people say when they mean it. */
export function interruptions({ quick, sources, random }: Size): Draft[] {
  const voices = callers(sources).slice(0, quick ? 1 : undefined);
  const balance = {
    transactions: [posted('BALANCE_CHECK', ALEX.number)],
    said: 'twelve hundred|one thousand two hundred',
  };
  const card = { transactions: [posted('CARD_INQUIRY', ALEX.number)], said: 'shipped' };
  return voices.map((caller) => {
    const step = (text: string, wants: 'quiet' | 'answer', rest: Partial<Step & { do: 'interrupt' }> = {}): Step => ({
      do: 'interrupt',
      ask: LONG_REQUEST,
      pieces: [text],
      afterMs: 900 + Math.round(random() * 2500),
      wants,
      tags: { what: text },
      ...rest,
    });
    return {
      from: ALEX.from,
      caller,
      steps: [
        greet,
        ...verifyByKeys(ALEX),
        step('stop', 'quiet'),
        step('what is my balance', 'answer', { expect: balance, credentials: ALEX }),
        step('wait', 'quiet'),
        step('no', 'quiet'),
        step('where is my credit card', 'answer', { expect: card, credentials: ALEX }),
        step('hold on please', 'quiet'),
        step('wait a moment', 'quiet'),
        step('stop it', 'quiet', { dbfs: -9, tags: { what: 'stop it, shouted' } }),
      ],
    };
  });
}

import { ALEX, callers, greet, JORDAN, LONG_REQUEST, posted, STRANGER, verifyByKeys } from './people.ts';
import { ask, REQUESTS } from './requests.ts';
import type { Draft, Size } from './turn-taking.ts';
import type { Room, Step } from './types.ts';

export interface RoomDraft extends Draft {
  readonly room?: Room;
}

/** A speakerphone, from well-behaved to bad. */
export function echo({ quick, sources }: Size): RoomDraft[] {
  const rooms: Room[] = [
    { echo: { attenuationDb: 15, delayMs: 120 } },
    { echo: { attenuationDb: 25, delayMs: 60 } },
    { echo: { attenuationDb: 9, delayMs: 200 } },
    { echo: { attenuationDb: 20, delayMs: 300 }, noise: { kind: 'white', snrDb: 20 } },
  ];
  const balance = {
    transactions: [posted('BALANCE_CHECK', ALEX.number)],
    said: 'twelve hundred|one thousand two hundred',
  };
  const voices = callers(sources);
  return rooms.slice(0, quick ? 1 : rooms.length).map((room, n) => ({
    from: ALEX.from,
    caller: voices[n % voices.length]!,
    room,
    steps: [
      greet,
      ...verifyByKeys(ALEX),
      { do: 'hear-out', ask: LONG_REQUEST },
      { do: 'say', pieces: ['what is my balance'], expect: balance },
      {
        do: 'interrupt',
        ask: LONG_REQUEST,
        pieces: ['what is my balance'],
        afterMs: 2000,
        wants: 'answer',
        expect: balance,
        tags: { what: 'what is my balance' },
      },
      { do: 'hear-out', ask: 'where is my credit card' },
    ],
  }));
}

/** Ordinary service in every room: what comes of it in the bank's ledger. */
export function outcomes({ quick, sources }: Size): RoomDraft[] {
  const noisy = (kind: 'white' | 'babble', snrDb: number): Room => ({ noise: { kind, snrDb }, lossPercent: 3 });
  const rooms: Room[] = quick
    ? [{}, noisy('white', 15), {}, noisy('babble', 15)]
    : [
        {},
        noisy('white', 20),
        noisy('white', 15),
        {},
        noisy('babble', 20),
        noisy('babble', 15),
        {},
        noisy('white', 10),
        noisy('babble', 10),
      ];
  const voices = callers(sources);
  const drafts = rooms.map((room, n): RoomDraft => {
    const caller = voices[n % voices.length]!;
    const requests = Array.from({ length: 4 }, (_, i) => REQUESTS[(n * 3 + i) % REQUESTS.length]!);
    return {
      from: JORDAN.from,
      caller,
      room,
      steps: [
        greet,
        { do: 'identify', request: 'please verify me', number: JORDAN.number, pin: JORDAN.pin, spokenPin: true },
        ...requests.map(
          (request): Step => ({ do: 'say', pieces: [request.words], expect: request.expect, credentials: JORDAN }),
        ),
        // A change is read back; a no must leave the card as it is.
        {
          do: 'say',
          pieces: ['block my debit card'],
          credentials: JORDAN,
          expect: { said: 'shall i block', never: ['CARD_BLOCK'] },
        },
        { do: 'say', pieces: ['no'], follows: true, expect: { said: 'not been blocked', never: ['CARD_BLOCK'] } },
      ],
    };
  });
  return quick
    ? drafts
    : [...drafts, ...drafts.map((draft, n) => ({ ...draft, caller: voices[(n + 4) % voices.length]! }))];
}

/** What else callers do. */
export function odd({ quick, sources }: Size): RoomDraft[] {
  const voices = callers(sources).slice(0, quick ? 1 : 4);
  const balance = { transactions: [posted('BALANCE_CHECK', ALEX.number)] };
  const nothing = ['CARD_BLOCK', 'BALANCE_CHECK', 'CARD_INQUIRY', 'TRANSACTION_LIST', 'AGENT_CALLBACK', 'VERIFY'];
  const foreign = 'the weather in paris is lovely and my sister plays the violin';
  return voices.flatMap((caller): RoomDraft[] => {
    const human: Step[] = sources.human
      ? [
          {
            do: 'say',
            pieces: ['recording:tt-weasels'],
            expect: { never: nothing },
            tags: { what: 'human, out of domain' },
          },
        ]
      : [];
    return [
      {
        from: STRANGER,
        caller,
        steps: [
          greet,
          { do: 'say', pieces: ['please verify me'], expect: { said: 'customer number' } },
          {
            do: 'say-and-press',
            words: 'my number is',
            gapMs: 150,
            digits: ALEX.number,
            follows: true,
            expect: { said: '\\bpin\\b', unsaid: 'six digit|did not get' },
            tags: { what: 'keys in mid-sentence' },
          },
          {
            do: 'press',
            digits: ALEX.pin,
            follows: true,
            expect: { transactions: [{ type: 'VERIFY', authenticationStatus: 'VERIFIED', customerId: ALEX.number }] },
          },
          {
            do: 'say',
            pieces: ['where is my credit card and what is my balance'],
            expect: { transactions: [posted('CARD_INQUIRY', ALEX.number), posted('BALANCE_CHECK', ALEX.number)] },
            tags: { what: 'two requests in one breath' },
          },
          {
            do: 'say',
            pieces: ['block my card', 500, 'no wait', 200, 'what is my balance'],
            site: 'whole',
            expect: { ...balance, never: ['CARD_BLOCK'] },
            tags: { what: 'change of mind' },
          },
        ],
      },
      {
        from: ALEX.from,
        caller,
        steps: [
          greet,
          { do: 'say', pieces: [foreign], expect: { never: nothing }, tags: { what: 'out of domain' } },
          ...human,
          { do: 'be-silent', forMs: 14_000, expect: { said: 'still|hear me' }, tags: { what: 'silence' } },
          { do: 'say', pieces: ['what is my balance'], expect: { said: '\\bpin\\b' }, tags: { what: 'after silence' } },
          {
            do: 'say',
            pieces: ['what can you do'],
            follows: true,
            expect: { said: 'can help|you can', unsaid: 'did not get' },
            tags: { what: 'another request instead of the PIN' },
          },
        ],
      },
    ];
  });
}

/** Many callers at once. */
export function load({ sources }: Size): RoomDraft[] {
  const voices = callers(sources);
  return Array.from({ length: 20 }, (_, n) => ({
    from: JORDAN.from,
    caller: voices[n % voices.length]!,
    steps: [
      greet,
      ...verifyByKeys(JORDAN),
      ...Array.from({ length: 4 }, (_, i) => ask(REQUESTS[(n + i) % REQUESTS.length]!)),
    ],
  }));
}

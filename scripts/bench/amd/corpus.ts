import type { Caller } from '../../eval/corpus/types.ts';
import type { Greeting } from './greeting.ts';
import { HELD_GREETINGS, HELD_RECORDINGS } from './greetings-held.ts';
import { SECOND_GREETINGS } from './greetings-second.ts';
import { TUNING_GREETINGS } from './greetings-tuning.ts';

const flite = (voice: string, rate = 1): Caller => ({ engine: 'flite', voice, rate });
const espeak = (voice: string, rate = 1): Caller => ({ engine: 'espeak', voice, rate });

const HELD = [flite('awb'), flite('kal'), flite('awb', 1.15), espeak('en-gb'), espeak('en-us+m3')];

/** No voice that is tuned with is in the others, at any pace. */
export const AMD_VOICES: Readonly<Record<Greeting['set'], readonly Caller[]>> = {
  tuning: [
    flite('slt'),
    flite('rms', 1.15),
    flite('slt', 0.9),
    espeak('en-us'),
    espeak('en-gb+f3'),
    flite('rms'),
    espeak('en-gb-scotland+m5', 1.1),
  ],
  held: HELD,
  second: HELD,
};
const HUMAN: Caller = { engine: 'human', voice: 'allison', rate: 1 };

/** Beeps as machines have them; undefined: none comes. */
const BEEPS: readonly ({ hz: number; ms: number } | undefined)[] = [
  { hz: 1000, ms: 500 },
  { hz: 1400, ms: 250 },
  { hz: 440, ms: 800 },
  { hz: 850, ms: 400 },
  { hz: 2000, ms: 200 },
  undefined,
];

/** Noise behind the speech: its distance in dB; undefined: none. */
export const AMD_NOISES: readonly (number | undefined)[] = [undefined, 25, 15];

/** One call that is answered, and all that is known of it. */
export interface AmdCase {
  greeting: Greeting;
  voice: Caller;
  /** Counts from 1: seeds what is random. */
  number: number;
  snrDb: number | undefined;
  beep: { hz: number; ms: number } | undefined;
}

const GREETINGS = { tuning: TUNING_GREETINGS, held: HELD_GREETINGS, second: SECOND_GREETINGS };

/** Every greeting in every voice, the second half's in one each, with noise and beep going round; recordings of a human voice where there are any. */
export function amdCases(set: Greeting['set'], sources: { espeak: boolean; human: boolean }): AmdCase[] {
  const voices = AMD_VOICES[set].filter(({ engine }) => engine !== 'espeak' || sources.espeak);
  const spoken = GREETINGS[set].flatMap((greeting, i) =>
    (set === 'second' ? [voices[i % voices.length]!] : voices).map((voice) => ({ greeting, voice })),
  );
  const recorded =
    set === 'held' && sources.human ? HELD_RECORDINGS.map((greeting) => ({ greeting, voice: HUMAN })) : [];
  // To tune with, machines are heard in four voices: what they say is long, and most of the work.
  const wanted = ({ greeting, voice }: AmdCase) =>
    set !== 'tuning' || greeting.by === 'person' || voices.indexOf(voice) < 4;
  const cases = [...spoken, ...recorded].map((one, index) => ({
    ...one,
    number: index + 1,
    snrDb: AMD_NOISES[index % AMD_NOISES.length],
    beep: one.greeting.kind === 'machine' ? BEEPS[index % BEEPS.length] : undefined,
  }));
  return cases.filter(wanted);
}

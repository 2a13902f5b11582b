import type { Caller, Room } from '../corpus/types.ts';
import { babble, noiseLevelFor, whiteNoise } from './noise.ts';
import type { Studio } from './studio.ts';

const NOISE_SECONDS = 12;

/** Other voices than the caller's talk about other things. */
const BABBLE = [
  {
    engine: 'flite',
    voice: 'slt',
    text: 'and then we walked along the river until it got dark and had dinner with the whole family',
  },
  {
    engine: 'flite',
    voice: 'awb',
    text: 'the meeting was moved to thursday because nobody had read the report that they sent around',
  },
  {
    engine: 'flite',
    voice: 'kal',
    text: 'you would not believe how much rain there was, the cellar was full of water by the evening',
  },
  {
    engine: 'flite',
    voice: 'rms',
    text: 'my brother has bought an old motorcycle and now he is looking for somebody who can repair it',
  },
] as const;

/** Others, and fewer at a time, so that they are less alike from moment to moment. */
const CROWD = [
  {
    engine: 'human',
    voice: 'allison',
    text: 'recording:demo-congrats',
  },
  { engine: 'espeak', voice: 'en-us', text: 'well that is what she told me but i would not trust him with my bicycle' },
  { engine: 'espeak', voice: 'en-gb', text: 'two teas and a coffee please, no the other table, by the window' },
] as const;

/** The noise of the room around this caller, at its level, to be looped; undefined in a quiet one. */
export async function roomNoise(
  noise: Room['noise'],
  caller: Caller,
  seed: number,
  studio: Studio,
): Promise<Int16Array | undefined> {
  if (!noise) return undefined;
  const dbfs = noiseLevelFor(noise.snrDb);
  if (noise.kind === 'white') return whiteNoise(NOISE_SECONDS, dbfs, seed);
  const people = (noise.kind === 'babble' ? BABBLE : CROWD).filter(({ voice }) => voice !== caller.voice);
  const talkers = await Promise.all(
    people.map(({ engine, voice, text }) => studio.line({ engine, voice, rate: 1 }, text)),
  );
  return babble(talkers, NOISE_SECONDS, dbfs, seed);
}

import type { RateChange } from './speech-rate.ts';

/** How callers ask for another pace; for the recogniser's grammars and the scripted dialogue alike. */
export const RATE_REQUESTS: readonly { rate: RateChange; templates: readonly string[] }[] = [
  {
    rate: 'slower',
    templates: [
      '[a bit|a little] slower [please]',
      '[please] slow down [please]',
      '[can you] [please] (speak|talk) [a bit|a little|more] (slower|slowly) [please]',
      '[can you] [please] (repeat|say) (that|it) [again] [more] (slowly|slower) [please]',
      'more slowly [please]',
      '[you are] [speaking|talking] too fast',
      'not so fast [please]',
    ],
  },
  {
    rate: 'faster',
    templates: [
      '[a bit|a little] faster [please]',
      '[can you] [please] (speak|talk) [a bit|a little] (faster|more quickly) [please]',
      '[please] speed up [please]',
      '[you are] [speaking|talking] too slow',
    ],
  },
  {
    rate: 'normal',
    templates: ['[at] normal speed [please]', '[please] (speak|talk) (normally|at normal speed)'],
  },
];

const PATTERNS: readonly [RateChange, RegExp][] = [
  ['slower', /\b(?:slower|slowly|slow down|too fast|not so fast)\b/],
  ['faster', /\b(?:faster|more quickly|speed up|too slow)\b/],
  ['normal', /\b(?:normal speed|(?:speak|talk) normally)\b/],
];

/** The change of pace that a few lower-case words ask for, while something else is expected. */
export function rateRequestIn(text: string): RateChange | undefined {
  return PATTERNS.find(([, pattern]) => pattern.test(text))?.[0];
}

import { RATE_REQUESTS } from '../speaking/rate-requests.ts';

/** What people say on the phone besides asking for something. */
export type SmallTalk =
  | 'hello'
  | 'hear'
  | 'listening'
  | 'who'
  | 'help'
  | 'repeat'
  | 'slower'
  | 'faster'
  | 'normal'
  | 'thanks'
  | 'goodbye'
  | 'wait'
  | 'never-mind';

/** Asked of the bot itself; they want an answer also while the bot has asked something. */
export const QUESTIONS_TO_US: ReadonlySet<SmallTalk> = new Set(['hear', 'who', 'help']);

/** Served in doubt: whoever did not say it hears something again, or that they may take their time. */
export const HARMLESS: ReadonlySet<SmallTalk> = new Set([...QUESTIONS_TO_US, 'repeat', 'slower', 'faster', 'wait']);

/** The sentences of small talk, for the scripted dialogue and for the recogniser's grammar alike. */
export const commonSentences: readonly { id: SmallTalk; templates: readonly string[] }[] = [
  { id: 'hello', templates: ['(hello|hi|hey) [there]', 'good (morning|afternoon|evening)'] },
  {
    id: 'hear',
    templates: ['[hello] can you hear me', 'are you [still] there', 'is (anybody|anyone|somebody|someone) there'],
  },
  // What listeners say. In the grammar so that the recogniser need not make a request of it: "mm hmm" sounds like "agent".
  // Not mere vowels, though: "ah" fits "stop" as well as "stop" does.
  {
    id: 'listening',
    templates: ['(hmm|mm|mhm) [hmm]', 'uh huh', '[okay] i see', '[okay] got it'],
  },
  {
    id: 'who',
    templates: [
      'who are you',
      'who am i (speaking|talking) (to|with)',
      'who is this',
      '(are you|is this) a (robot|machine|computer|real person)',
    ],
  },
  {
    id: 'help',
    templates: [
      'help [me]',
      '[i need] [some] help',
      'what can you do [for me]',
      'what can you help [me] with',
      'what can i (ask|say|do) [here]',
      'what are my options',
      'how does this work',
    ],
  },
  {
    id: 'repeat',
    templates: [
      '[can you] [please] repeat [that|it]',
      '[can you] say (that|it) again',
      'tell me again',
      'what did you say',
      'what was that',
      'pardon [me]',
      'sorry',
      'sorry what [was that]',
      'excuse me',
      'once more',
      'one more time',
      'come again',
      'i did not (hear|understand|catch|get) (that|you|it)',
      "i didn't (hear|understand|catch|get) (that|you|it)",
      'go on',
      'what',
    ],
  },
  {
    id: 'thanks',
    templates: [
      '[okay] thank you [very much|so much]',
      '[okay] [many] thanks [a lot]',
      '(great|perfect|wonderful|excellent|lovely) [thanks|thank you]',
      'that was [very] helpful',
    ],
  },
  {
    id: 'goodbye',
    templates: [
      '[okay] [thank you|thanks] (goodbye|bye|bye bye) [now]',
      'have a (good|nice) (day|evening|weekend|one)',
      "[no] [thank you|thanks] (that is|that's|that was|that will be) (all|it|everything) [thank you|thanks]",
      '[no] nothing else [thank you|thanks]',
      'nothing [more]',
      "(i am|i'm) (done|finished)",
      'hang up',
      '(end|finish) the call',
      '[no] no more questions',
    ],
  },
  {
    id: 'wait',
    templates: [
      '[please] wait [a (moment|minute|second)]',
      '(one|just a|just one) (moment|minute|second) [please]',
      '(hold|hang) on [a (moment|minute|second)] [please]',
      'give me a (moment|minute|second)',
      'let me (see|think|check|look)',
    ],
  },
  {
    id: 'never-mind',
    templates: [
      'never mind',
      'forget (it|that|about it)',
      'cancel [that|it]',
      'stop [it|that|talking|please]',
      'leave it',
      '[be] quiet [please]',
      "(that is|that's) enough",
      'shut up',
    ],
  },
  ...RATE_REQUESTS.map(({ rate, templates }) => ({ id: rate, templates })),
];

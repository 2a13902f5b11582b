/**
 * What people and machines say when they pick up, as weights of evidence: positive for a machine, negative for a person.
 * A recogniser that hears these phrases among everything else is enough; names of people and firms are never needed.
 */
export const GREETING_PHRASES: readonly { phrase: string; weight: number }[] = [
  ...weighted(3, [
    'you have reached',
    "you've reached",
    'you have reached the voice mail',
    'leave a message',
    'leave your message',
    'leave your name',
    'leave me a message',
    'after the tone',
    'after the beep',
    'at the tone',
    'voice mail',
    'voice mail box',
    'mailbox',
    'answering machine',
    'is not available',
    'is unavailable',
    "can't come to the phone",
    'cannot come to the phone',
    "can't take your call",
    'cannot take your call',
    'not able to take your call',
    'unable to take your call',
    'not here right now',
    'the person you are calling',
    'the number you have dialed',
    'the customer you are calling',
    'your call has been forwarded',
    'automated voice messaging',
    'get back to you',
    'call you back',
    'our office is closed',
    'we are closed',
    'please try again later',
    'is not in service',
  ]),
  ...weighted(1, [
    'thank you for calling',
    'you are calling',
    'please leave',
    'as soon as possible',
    'the office hours are',
    'right now',
    'at the moment',
    "i'm sorry",
    'we are sorry',
    'no one is',
    'away from',
    'out of the office',
    'this is the voice',
  ]),
  ...weighted(-2, [
    'how can i help you',
    'how may i help you',
    'what can i do for you',
    'can i help you',
    'may i help you',
    'how can i help',
    'who is this',
    "who's calling",
    'who is calling',
    'speaking',
    'can you hear me',
    'what do you want',
    'you are through to',
    'my name is',
    'good morning this is',
    'good afternoon this is',
  ]),
  ...weighted(-1, [
    'what can i',
    'how can i',
    'how may i',
    'good morning',
    'good afternoon',
    'this is',
    'customer service',
  ]),
];

function weighted(weight: number, phrases: readonly string[]): { phrase: string; weight: number }[] {
  return phrases.map((phrase) => ({ phrase, weight }));
}

/** What may be heard everywhere: in the grammar only, so that it is not taken for something else. */
export const GREETING_WORDS: readonly string[] = [
  'hello',
  'hi',
  'yes',
  'yeah',
  'good evening',
  'here',
  'reception',
  'sales',
];

/** Positive: a machine; negative: a person; the larger the surer. */
export function greetingEvidence(text: string): number {
  const heard = ` ${text.toLowerCase()} `;
  let sum = 0;
  for (const { phrase, weight } of GREETING_PHRASES) if (heard.includes(` ${phrase} `)) sum += weight;
  return sum;
}

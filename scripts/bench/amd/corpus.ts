import type { Caller } from '../../eval/corpus/types.ts';

/**
 * Who picks up, in words. All of it is synthetic: made-up greetings in the voices of speech synthesizers, with made-up
 * beeps and noise. `held` is for reporting: neither its words nor its voices were looked at when thresholds and phrases
 * were chosen.
 */
export interface Greeting {
  readonly by: 'person' | 'machine';
  readonly kind: 'short' | 'name' | 'business' | 'machine';
  readonly text: string;
  readonly set: 'tuning' | 'held';
}

const of = (set: Greeting['set'], by: Greeting['by'], kind: Greeting['kind'], texts: readonly string[]): Greeting[] =>
  texts.map((text) => ({ by, kind, text, set }));

export const GREETINGS: readonly Greeting[] = [
  ...of('tuning', 'person', 'short', ['Hello?', 'Hi.', 'Yes?', 'Hello, hello?', 'Good morning.', 'Yeah, hello.']),
  ...of('tuning', 'person', 'name', [
    'Hello, this is John Smith speaking.',
    'Anna Miller, hello.',
    'Good evening, Mary Jones here.',
    'Robert Brown speaking, who is this?',
  ]),
  ...of('tuning', 'person', 'business', [
    'Good morning, First National Insurance, Anna speaking, how may I help you?',
    'Miller and Sons, this is Peter, what can I do for you?',
    'Hello, you are through to customer service, my name is Laura, how can I help?',
  ]),
  ...of('tuning', 'machine', 'machine', [
    "Hi, you've reached John Smith. I can't come to the phone right now. Please leave a message after the beep.",
    'You have reached the voice mail box of five five five, one two three four. Please leave your message after the tone.',
    'Hello. The person you are calling is not available. At the tone, please record your message. When you have finished, you may hang up.',
    'Thank you for calling Miller and Sons. Our office is closed at the moment. Please call back between nine and five, or leave a message after the tone, and we will get back to you as soon as possible.',
    "Hey, it's Mary. Leave me a message and I will call you back.",
    'Your call has been forwarded to an automated voice messaging system. The customer is not available. Please leave a message.',
  ]),
  ...of('held', 'person', 'short', ['Hello.', 'Yes, hello?', 'Yeah?', 'Good afternoon.', 'Hello, yes?', 'Hi, hello.']),
  ...of('held', 'person', 'name', [
    'Hello, David Taylor speaking.',
    'This is Susan Clark.',
    'Hi, Tom here.',
    'Good morning, this is Peter Wilson.',
    'Yes, Barbara Green, hello, who is calling?',
  ]),
  ...of('held', 'person', 'business', [
    'Good afternoon, City Dental Practice, Karen speaking, how can I help you?',
    'Taylor Motors, good morning, this is James, how may I help you?',
    'Hello, thanks for calling Green Gardens, Susan speaking, what can I do for you today?',
  ]),
  ...of('held', 'machine', 'machine', [
    "Hello, this is David. I'm not here right now, so please leave your name and number after the tone and I will get back to you.",
    'You have reached Green Gardens. No one is available to take your call. Please leave a message after the beep and someone will call you back.',
    'The customer you are calling is unavailable. Please leave your message after the tone.',
    'Welcome to the voice mail of Susan Clark. Please leave a message.',
    'Hi, sorry I missed your call. I am either on the other line or away from my desk. Leave your number and a short message.',
    "Good day. This is the answering machine of Barbara and Tom Green. We can't take your call at the moment. Speak after the beep, please.",
  ]),
];

const flite = (voice: string, rate = 1): Caller => ({ engine: 'flite', voice, rate });
const espeak = (voice: string, rate = 1): Caller => ({ engine: 'espeak', voice, rate });

export const VOICES: Readonly<Record<Greeting['set'], { flite: readonly Caller[]; espeak: readonly Caller[] }>> = {
  tuning: {
    flite: [flite('slt'), flite('rms', 1.15), flite('slt', 0.9)],
    espeak: [espeak('en-us'), espeak('en-gb+f3')],
  },
  held: { flite: [flite('awb'), flite('kal'), flite('awb', 1.15)], espeak: [espeak('en-gb'), espeak('en-us+m3')] },
};

/** Beeps as machines have them; undefined: none comes. */
export const BEEPS: readonly ({ hz: number; ms: number } | undefined)[] = [
  { hz: 1000, ms: 500 },
  { hz: 1400, ms: 250 },
  { hz: 440, ms: 800 },
  { hz: 850, ms: 400 },
  { hz: 2000, ms: 200 },
  undefined,
];

/** Noise behind the speech: its distance in dB; undefined: none. */
export const NOISES: readonly (number | undefined)[] = [undefined, 25, 15];

import { type Greeting, greetings } from './greeting.ts';

/**
 * For reporting only: neither these words nor the voices they are spoken in were used when phrases, thresholds and
 * weights were made. The first of each kind are those of the first version of this corpus.
 */
export const HELD_GREETINGS: readonly Greeting[] = [
  ...greetings('held', 'person', 'short', [
    'Hello.',
    'Yes, hello?',
    'Yeah?',
    'Good afternoon.',
    'Hello, yes?',
    'Hi, hello.',
    'Hello? Hello?',
    'Yes, good evening.',
    'Hello, how are you?',
    'Yeah, what is it?',
  ]),
  ...greetings('held', 'person', 'name', [
    'Hello, David Taylor speaking.',
    'This is Susan Clark.',
    'Hi, Tom here.',
    'Good morning, this is Peter Wilson.',
    'Yes, Barbara Green, hello, who is calling?',
    'Clark residence, good evening.',
    'Hello, you are speaking with Rachel.',
    'Doctor Evans here, good afternoon.',
    'Hello? Yes, this is Margaret, who am I talking to?',
  ]),
  ...greetings('held', 'person', 'business', [
    'Good afternoon, City Dental Practice, Karen speaking, how can I help you?',
    'Taylor Motors, good morning, this is James, how may I help you?',
    'Hello, thanks for calling Green Gardens, Susan speaking, what can I do for you today?',
    'Good morning, thank you for calling Hillside Travel, this is Monica speaking, how may I direct your call?',
    'Accounts department, Steven speaking.',
    'Welcome to the Harbour Hotel, my name is Claire, how may I assist you?',
    'Thank you for calling Fisher and Partners, how can I help?',
    'Hello, service desk, you are talking to Daniel, what is the problem?',
    "Good afternoon, Saint Mary's school office, Mrs Turner speaking.",
    'Pizza Roma, hello, what would you like to order?',
  ]),
  ...greetings('held', 'machine', 'machine', [
    "Hello, this is David. I'm not here right now, so please leave your name and number after the tone and I will get back to you.",
    'You have reached Green Gardens. No one is available to take your call. Please leave a message after the beep and someone will call you back.',
    'The customer you are calling is unavailable. Please leave your message after the tone.',
    'Welcome to the voice mail of Susan Clark. Please leave a message.',
    'Hi, sorry I missed your call. I am either on the other line or away from my desk. Leave your number and a short message.',
    "Good day. This is the answering machine of Barbara and Tom Green. We can't take your call at the moment. Speak after the beep, please.",
    "Hello, you've reached the voicemail of Steven Baker. I am either on the phone or away from my desk.",
    'Mike Turner here. Please leave a message at the beep with your name and number, and I will call you back.',
    "If you are looking for Kim, you've found her. Leave a message.",
    'This is Rachel Evans. I would like to return your call, so please leave your message at the tone.',
    'You have reached eight zero zero, five five five, one two one two. No one is available to take your call.',
    'I am in the office today, but unable to answer the phone. Please leave your name and a detailed message.',
    'Hey, you know what to do. Wait for the beep.',
    "Hi, this is Claire, I can't get to my phone. Text me, or leave a message.",
    'Sorry, the mailbox is full and cannot accept any messages at this time. Goodbye.',
    'The number you have called is switched off or out of coverage. Please try again later.',
  ]),
  ...greetings('held', 'machine', 'menu', [
    'Thank you for calling Hillside Travel. For new bookings, press one. For changes, press two.',
    'Welcome to Northern Energy. This call may be recorded for training purposes. Please hold while we connect you.',
  ]),
];

/** Recordings of a human voice that Debian has (asterisk-core-sounds-en-wav): names of files, and what they say. */
export const HELD_RECORDINGS: readonly Greeting[] = [
  ...greetings('held', 'machine', 'machine', [
    'vm-theperson digits/4 digits/2 vm-isunavail vm-intro',
    'vm-theperson digits/7 digits/1 digits/5 vm-isonphone vm-intro',
    'vm-nobodyavail vm-intro',
    'ss-noservice',
    'number-not-answering please-try-call-later',
    'cannot-complete-as-dialed check-number-dial-again',
    'all-circuits-busy-now please-try-call-later',
    'tt-allbusy',
  ]),
  ...greetings('held', 'machine', 'menu', ['basic-pbx-ivr-main', 'dir-welcome dir-intro']),
  ...greetings('held', 'person', 'short', ['hello', 'hello-world']),
];

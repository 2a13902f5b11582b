import { monotonicNow } from '../../../src/core/clock.ts';
import { FarEndSilent, HungUp } from '../../../tests/support/phone/failures.ts';
import { Phone } from '../../../tests/support/phone/phone.ts';
import { Tape } from '../../../tests/support/phone/tape.ts';
import { writeWav } from '../../../tests/support/phone/wav.ts';
import { roomNoise } from '../audio/room.ts';
import type { Studio } from '../audio/studio.ts';
import type { Conversation } from '../corpus/types.ts';
import type { CallRecord } from '../score/record.ts';
import { Microphone } from './microphone.ts';
import type { PlayedCall } from './moment.ts';
import { prepareSteps } from './prepare.ts';
import { Talk } from './talk.ts';

/** No conversation of the corpus takes longer; one that does is ended. */
const LONGEST_MS = 300_000;

export interface PlayOptions {
  readonly to: string;
  readonly variant: string;
  readonly studio: Studio;
  /** What the connector's API shows of a call so far. */
  readonly peek: (sipCallId: string) => Promise<CallRecord | undefined>;
}

/** Plays one conversation to its end, whatever happens in it. Throws only when no call came about. */
export async function play(
  conversation: Conversation,
  { to, variant, studio, peek }: PlayOptions,
): Promise<PlayedCall> {
  const steps = await prepareSteps(conversation, studio);
  const { room, caller, seed } = conversation;
  const tape = new Tape();
  const microphone = new Microphone({
    noise: await roomNoise(room.noise, caller, seed, studio),
    echo: room.echo,
    onFrame: (pcm, at) => tape.sent(pcm, at),
  });
  const phone = await Phone.open({
    from: conversation.from,
    codecs: ['PCMU'],
    seed,
    impairments: room.lossPercent === undefined ? undefined : { seed, lossPercent: room.lossPercent },
    onAudio: (pcm, packet) => {
      tape.heard(pcm, packet);
      microphone.heard(pcm);
    },
  });
  const wallOffset = Date.now() - monotonicNow();
  const limit = setTimeout(() => void phone.close(), LONGEST_MS);
  try {
    microphone.attach(phone.line);
    await phone.dial(to);
    const talk = new Talk(phone, () => peek(phone.sipCallId));
    let trouble: string | undefined;
    let done = 0;
    try {
      for (const step of steps) {
        await talk.perform(step);
        done++;
      }
    } catch (error) {
      if (!(error instanceof HungUp || error instanceof FarEndSilent)) throw error;
      // A bot that hangs up after the last thing the caller had to say has ended the call as it should.
      if (!(error instanceof HungUp && done === steps.length - 1)) trouble = error.message;
      else done++;
    }
    const endedAt = phone.ended?.at ?? monotonicNow();
    if (!phone.ended) await phone.hangup();
    return {
      conversation,
      variant,
      sipCallId: phone.sipCallId,
      moments: talk.moments,
      sound: phone.packets.filter((packet) => packet.sound).map((packet) => packet.at),
      endedAt,
      wallOffset,
      trouble,
      unplayed: steps.length - done,
      recording: writeWav({ sampleRate: 8000, channels: 2, pcm: tape.stereo() }),
    };
  } finally {
    clearTimeout(limit);
    await phone.close();
  }
}

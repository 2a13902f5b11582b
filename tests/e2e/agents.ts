import { expect } from 'vitest';
import type { AnsweredCall, AnsweringPhone } from '../support/phone/answering-phone.ts';
import { tone } from '../support/phone/voice.ts';

type Line = AnsweredCall['line'];

/** The next call that reaches this far end, which had `before` of them. */
export async function reached(phone: AnsweringPhone, before: number): Promise<AnsweredCall> {
  await expect.poll(() => phone.calls.length).toBeGreaterThan(before);
  return phone.calls[before]!;
}

/** Is it heard there when it is said here? */
export async function heardFrom(line: Line, speaker: Line): Promise<void> {
  const before = line.ear.packets.length;
  speaker.mouth.say(tone(500, 600));
  await expect.poll(() => line.ear.packets.slice(before).some(({ sound }) => sound)).toBe(true);
}

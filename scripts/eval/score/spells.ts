import type { Ms } from '../../../src/core/clock.ts';
import { SPELL_GAP_MS, type Spell } from '../../../tests/support/phone/ear.ts';

/** Stretches of the bot's sound from the arrivals of its packets with sound, as the phone's ear makes them. */
export function spellsOf(sound: readonly Ms[], gapMs: Ms = SPELL_GAP_MS): Spell[] {
  const spells: Spell[] = [];
  for (const at of sound) {
    const last = spells.at(-1);
    if (last && at - last.lastSoundAt < gapMs) last.lastSoundAt = at;
    else spells.push({ startAt: at, lastSoundAt: at });
  }
  return spells;
}

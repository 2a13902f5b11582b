import type { Ms } from '../../core/clock.ts';

/** A steady tone of one frequency that has ended. */
export interface HeardTone {
  at: Ms;
  hz: number;
  durationMs: Ms;
}

/**
 * What a tone says of who is there: `beep`, a machine that records now; `begun`, the same, unless within BEGUN_FOR_MS it turns
 * out to be the first of those that come before an announcement; `progress`, an exchange that rings somebody, or is about to
 * say that nobody is there; and that nobody is, to leave a message for: `announcement`, the network's word that this number
 * cannot be reached; `fax`, a fax machine or a modem; `busy`, an exchange whose end of the call has been hung up.
 */
export type ToneMeaning = 'beep' | 'begun' | 'progress' | NobodysTone;
export type NobodysTone = 'announcement' | 'fax' | 'busy';

/**
 * Special information tone (ITU-T E.180): 950, 1400 and 1800 Hz, 330 ms each, with 30 ms between them at most. North
 * America's are up to 36 Hz off and 274 or 380 ms long.
 */
const INFORMATION_HZ = [950, 1400, 1800];
const INFORMATION_OFF_HZ = 60;
/** E.180's 330 ± 70 ms, and a frame of 20 ms at either end. */
const INFORMATION_MS = { least: 230, most: 430 };
const BETWEEN_MS: Ms = 80;
/** The second one has been heard by then. */
export const BEGUN_FOR_MS: Ms = INFORMATION_MS.most + BETWEEN_MS + 60;

/** Answer tone of faxes (CED, T.30) and modems (ANS, V.25; ANSam, V.8): 2100 ± 15 Hz for 2.6 to 4 s. */
const FAX_HZ = 2100;
const FAX_OFF_HZ = 25;
const FAX_MS: Ms = 2400;

/**
 * E.180's call progress tones: ringing for a second every five, busy and congestion for half a second and less, with as much
 * between. (In North America they are of two frequencies, and no steady tones at all.)
 */
const PROGRESS_HZ = 425;
const PROGRESS_OFF_HZ = 12;
const BUSY = { most: 600, apart: 700, alike: 60 };

/** What the tones of one call mean, one after the other. Pure. */
export class TelephoneTones {
  /** How many tones of the information tone have come. */
  #information = 0;
  #endedAt: Ms = 0;
  /** The last call progress tone. */
  #progress: HeardTone | undefined;

  push({ at, hz, durationMs }: HeardTone): ToneMeaning {
    if (Math.abs(hz - FAX_HZ) <= FAX_OFF_HZ && durationMs >= FAX_MS) return 'fax';
    if (Math.abs(hz - PROGRESS_HZ) <= PROGRESS_OFF_HZ) return this.#progressTone({ at, hz, durationMs });
    const goesOn = this.#information > 0 && at - durationMs - this.#endedAt <= BETWEEN_MS;
    for (const place of goesOn ? [this.#information, 0] : [0]) {
      if (!isInformation(place, hz, durationMs)) continue;
      this.#information = place + 1;
      this.#endedAt = at;
      // Two that follow each other like that are no beep.
      return place === 0 ? 'begun' : 'announcement';
    }
    this.#information = 0;
    return 'beep';
  }

  #progressTone(tone: HeardTone): 'progress' | 'busy' {
    const before = this.#progress;
    this.#progress = tone;
    if (before === undefined || tone.durationMs > BUSY.most) return 'progress';
    const alike = Math.abs(tone.durationMs - before.durationMs) <= BUSY.alike;
    return alike && tone.at - tone.durationMs - before.at <= BUSY.apart ? 'busy' : 'progress';
  }
}

/** Is nobody there, by the meaning of a tone, or by why it is known who has answered? */
export function isNobodys(meaning: string): meaning is NobodysTone {
  return meaning === 'announcement' || meaning === 'fax' || meaning === 'busy';
}

function isInformation(place: number, hz: number, durationMs: Ms): boolean {
  const wanted = INFORMATION_HZ[place];
  const { least, most } = INFORMATION_MS;
  if (wanted === undefined || durationMs < least || durationMs > most) return false;
  return Math.abs(hz - wanted) <= INFORMATION_OFF_HZ;
}

import { type MediaPolicy, PLAIN_MEDIA } from './media-policy.ts';
import type { AudioSecurity } from './ports.ts';
import { type CryptoAttribute, newKey, writeCrypto } from './sdp-crypto.ts';
import { type AudioDescription, type Refusal, refuse } from './sdp-read.ts';
import { SRTP_PROFILES, type SrtpKey } from './srtp/profiles.ts';

/** What an answer says of security, and what it comes to. */
export interface Secured {
  lines: string[];
  security: AudioSecurity | undefined;
}

/**
 * Agrees on encryption within one dialog (RFC 3264, RFC 4568). Once agreed it stays: a later offer or answer in the clear is
 * refused, and the call goes on as it was.
 */
export class SecurityNegotiator {
  readonly #policy: MediaPolicy;
  #agreed = false;
  /** Our key, and the peer's that it answers. */
  #own: SrtpKey | undefined;
  #theirs: SrtpKey | undefined;
  /** What our last offer named. */
  #offered: CryptoAttribute[] = [];

  constructor(policy: MediaPolicy = PLAIN_MEDIA) {
    this.#policy = policy;
  }

  /** How well this audio line can be served: a number above 0, the higher the better; or why it cannot. */
  judge(audio: AudioDescription): number | { why: string; code: Refusal } {
    const { encryption, sdes } = this.#policy;
    const mustEncrypt = this.#agreed || encryption === 'required';
    const { transport, crypto } = audio;
    if (transport === 'dtls') return unsupported(audio.protocol);
    if (encryption !== 'off' && sdes && crypto.length > 0) return 2;
    if (transport === 'srtp') {
      if (encryption === 'off') return unsupported(audio.protocol);
      if (!sdes) return { why: 'keys of SRTP are taken over TLS only', code: 'incompatible-transport' };
      return { why: 'no SRTP suite in common', code: 'incompatible-transport' };
    }
    return mustEncrypt ? { why: 'calls are encrypted here', code: 'incompatible-transport' } : 1;
  }

  /** For an audio line that `judge` lets pass. */
  answer(audio: AudioDescription): Secured {
    const chosen = this.judge(audio) === 2 ? audio.crypto[0] : undefined;
    if (chosen === undefined) return { lines: [], security: undefined };
    // The same key again says that nothing has changed. With another the peer has begun anew, or is somebody else: ours
    // changes too, so that counters start at zero on both sides.
    if (this.#own === undefined || !sameKey(this.#theirs, chosen.key)) this.#own = newKey(chosen.key.profile);
    this.#theirs = chosen.key;
    this.#agreed = true;
    return {
      lines: [writeCrypto({ tag: chosen.tag, key: this.#own })],
      security: { by: 'sdes', keys: { send: this.#own, receive: chosen.key } },
    };
  }

  /**
   * For an offer of ours. Where encryption is optional the keys stand beside the plain profile, and the answer decides
   * (RFC 8643).
   */
  offer(): { protocol: string; lines: string[] } {
    const { encryption, sdes } = this.#policy;
    const mustEncrypt = this.#agreed || encryption === 'required';
    if (mustEncrypt && !sdes) throw refuse('keys of SRTP are given over TLS only', 'incompatible-transport');
    if (encryption === 'off' || !sdes) {
      this.#offered = [];
      return { protocol: 'RTP/AVP', lines: [] };
    }
    this.#offered = SRTP_PROFILES.map((profile, i) => ({
      tag: i + 1,
      key: this.#own?.profile === profile ? this.#own : newKey(profile),
    }));
    return { protocol: mustEncrypt ? 'RTP/SAVP' : 'RTP/AVP', lines: this.#offered.map(writeCrypto) };
  }

  /** What an answer to our offer comes to. Throws Failure 488 when it takes back what must be. */
  accept(audio: AudioDescription): AudioSecurity | undefined {
    const [theirs] = audio.crypto;
    const ours = this.#offered.find(({ tag, key }) => tag === theirs?.tag && key.profile === theirs.key.profile);
    if (theirs === undefined || ours === undefined) {
      if (this.#agreed || this.#policy.encryption === 'required' || audio.transport !== 'plain') {
        throw refuse('the answer does not take up encryption', 'incompatible-transport');
      }
      return undefined;
    }
    this.#agreed = true;
    this.#own = ours.key;
    this.#theirs = theirs.key;
    return { by: 'sdes', keys: { send: ours.key, receive: theirs.key } };
  }
}

function unsupported(protocol: string): { why: string; code: Refusal } {
  return { why: `transport ${protocol} is not supported`, code: 'incompatible-transport' };
}

function sameKey(a: SrtpKey | undefined, b: SrtpKey): boolean {
  return a !== undefined && a.profile === b.profile && Buffer.compare(a.master, b.master) === 0;
}

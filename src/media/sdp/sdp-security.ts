import { randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Fingerprint } from '../dtls/fingerprint.ts';
import type { IceCredentials } from '../ice/ice-lite.ts';
import type { AudioSecurity } from '../ports.ts';
import { SRTP_PROFILES, type SrtpKey } from '../srtp/profiles.ts';
import type { AudioDescription } from './audio-description.ts';
import { type MediaPolicy, PLAIN_MEDIA } from './media-policy.ts';
import { type CryptoAttribute, newKey, writeCrypto } from './sdp-crypto.ts';
import { type Refusal, refuse } from './sdp-read.ts';

/** What an answer says of security, and what it comes to. */
export interface Secured {
  /** Of the session, and of the audio section. */
  sessionLines: string[];
  lines: string[];
  security: AudioSecurity | undefined;
  ice: IceCredentials | undefined;
}

/** Where our media is, for the candidate of ICE. */
export interface OwnPlace {
  address: string;
  port: number;
}

type Refused = { why: string; code: Refusal };

/** Of a host candidate of component 1 (RFC 8445 section 5.1.2.1): the only one there is. */
const CANDIDATE_PRIORITY = 2_130_706_431;

/**
 * Agrees on encryption within one dialog (RFC 3264, RFC 4568, RFC 8842). Once agreed it stays: a later offer or answer in
 * the clear is refused, and the call goes on as it was.
 */
export class SecurityNegotiator {
  readonly #policy: MediaPolicy;
  /** Of our certificate; without one there is no DTLS. */
  readonly #fingerprint: Fingerprint | undefined;
  #agreed = false;
  /** Our SDES key, and the peer's that it answers. */
  #own: SrtpKey | undefined;
  #theirs: SrtpKey | undefined;
  /** What our last offer named. */
  #offered: CryptoAttribute[] = [];
  #role: 'active' | 'passive' | undefined;
  #ice: IceCredentials | undefined;
  #mid = '0';

  constructor(policy: MediaPolicy = PLAIN_MEDIA, fingerprint?: Fingerprint) {
    this.#policy = policy;
    this.#fingerprint = fingerprint;
  }

  /** How well this audio line can be served: a number above 0, the higher the better; or why it cannot. */
  judge(audio: AudioDescription): number | Refused {
    const means = this.#meansFor(audio);
    return typeof means !== 'string' ? means : means === 'plain' ? 1 : 2;
  }

  /** For an audio line that `judge` lets pass. */
  answer(audio: AudioDescription, place: OwnPlace): Secured {
    const means = this.#meansFor(audio);
    if (means === 'dtls') return this.#answerDtls(audio, place);
    if (means !== 'sdes') return { sessionLines: [], lines: [], security: undefined, ice: undefined };
    const chosen = audio.crypto[0]!;
    // The same key again says that nothing has changed. With another the peer has begun anew, or is somebody else: ours
    // changes too, so that counters start at zero on both sides.
    if (this.#own === undefined || !sameKey(this.#theirs, chosen.key)) this.#own = newKey(chosen.key.profile);
    this.#theirs = chosen.key;
    this.#agreed = true;
    return {
      sessionLines: [],
      lines: [writeCrypto({ tag: chosen.tag, key: this.#own })],
      security: { by: 'sdes', keys: { send: this.#own, receive: chosen.key } },
      ice: undefined,
    };
  }

  /**
   * For an offer of ours. Where encryption is optional the keys stand beside the plain profile, and the answer decides
   * (RFC 8643).
   */
  offer(place: OwnPlace): { protocol: string; sessionLines: string[]; lines: string[] } {
    const { encryption, sdes } = this.#policy;
    const mustEncrypt = this.#agreed || encryption === 'required';
    this.#offered = [];
    if (this.#role !== undefined || (mustEncrypt && !sdes)) {
      if (this.#fingerprint === undefined)
        throw refuse('keys of SRTP are given over TLS only', 'incompatible-transport');
      return this.#offerDtls(place);
    }
    if (encryption === 'off' || !sdes) return { protocol: 'RTP/AVP', sessionLines: [], lines: [] };
    this.#offered = SRTP_PROFILES.map((profile, i) => ({
      tag: i + 1,
      key: this.#own?.profile === profile ? this.#own : newKey(profile),
    }));
    const lines = this.#offered.map(writeCrypto);
    return { protocol: mustEncrypt ? 'RTP/SAVP' : 'RTP/AVP', sessionLines: [], lines };
  }

  /** What an answer to our offer comes to. Throws Failure 488 when it takes back what must be. */
  accept(audio: AudioDescription): Pick<Secured, 'security' | 'ice'> {
    const { dtls, transport } = audio;
    const [theirs] = audio.crypto;
    const ours = this.#offered.find(({ tag, key }) => tag === theirs?.tag && key.profile === theirs.key.profile);
    if (theirs !== undefined && ours !== undefined) {
      this.#agreed = true;
      this.#own = ours.key;
      this.#theirs = theirs.key;
      return { security: { by: 'sdes', keys: { send: ours.key, receive: theirs.key } }, ice: undefined };
    }
    if (transport === 'dtls' && this.#fingerprint !== undefined && dtls !== undefined && dtls.setup !== 'actpass') {
      this.#agreed = true;
      this.#role ??= dtls.setup === 'active' ? 'passive' : 'active';
      this.#ice = this.#ice && audio.ice && { ...this.#ice, remoteUfrag: audio.ice.ufrag };
      return { security: { by: 'dtls', role: this.#role, fingerprints: dtls.fingerprints }, ice: this.#ice };
    }
    if (this.#agreed || this.#policy.encryption === 'required' || transport !== 'plain') {
      throw refuse('the answer does not take up encryption', 'incompatible-transport');
    }
    return { security: undefined, ice: undefined };
  }

  #meansFor({ transport, protocol, crypto, dtls }: AudioDescription): 'plain' | 'sdes' | 'dtls' | Refused {
    const { encryption, sdes } = this.#policy;
    if (encryption !== 'off') {
      if (transport !== 'dtls' && sdes && crypto.length > 0) return 'sdes';
      if (dtls !== undefined && this.#fingerprint !== undefined) return 'dtls';
    }
    const refused = (why: string): Refused => ({ why, code: 'incompatible-transport' });
    if (transport === 'plain') {
      return this.#agreed || encryption === 'required' ? refused('calls are encrypted here') : 'plain';
    }
    if (encryption === 'off' || (transport === 'dtls' && this.#fingerprint === undefined)) {
      return refused(`transport ${protocol} is not supported`);
    }
    if (transport === 'dtls') return refused('no fingerprint of a certificate that could be checked');
    return refused(crypto.length > 0 ? 'keys of SRTP are taken over TLS only' : 'no SRTP suite in common');
  }

  #answerDtls({ dtls, ice, mid, bundled, rtcpMux }: AudioDescription, place: OwnPlace): Secured {
    const { setup, fingerprints } = dtls!;
    // RFC 8842 section 5.3: an association that stands keeps its roles. We wait, where it is ours to choose: behind ICE the
    // peer knows first where it can send.
    if (setup !== 'actpass' || this.#role === undefined) this.#role = setup === 'passive' ? 'active' : 'passive';
    this.#agreed = true;
    const lines = this.#dtlsLines(this.#role);
    const sessionLines: string[] = [];
    if (mid !== undefined) {
      this.#mid = mid;
      lines.unshift(`a=mid:${mid}`);
    }
    if (mid !== undefined && bundled) sessionLines.push(`a=group:BUNDLE ${mid}`);
    // Without rtcp-mux RTCP would need checks of its own: such a peer is reached without ICE.
    const answered = ice !== undefined && rtcpMux;
    if (answered) {
      if (this.#ice?.remoteUfrag !== ice.ufrag) this.#ice = { ...newCredentials(), remoteUfrag: ice.ufrag };
      sessionLines.push('a=ice-lite');
      lines.push(...iceLines(this.#ice!, place));
    }
    const security = { by: 'dtls' as const, role: this.#role, fingerprints };
    return { sessionLines, lines, security, ice: answered ? this.#ice : undefined };
  }

  /** To a browser, or within a dialog that has ICE, which an offer without would take down (RFC 8839 section 4.4.1.2). */
  #offerDtls(place: OwnPlace): { protocol: string; sessionLines: string[]; lines: string[] } {
    const lines = this.#dtlsLines('actpass');
    if (!this.#policy.ice && this.#ice === undefined) return { protocol: 'UDP/TLS/RTP/SAVP', sessionLines: [], lines };
    this.#ice ??= { ...newCredentials(), remoteUfrag: '' };
    return {
      protocol: 'UDP/TLS/RTP/SAVPF',
      sessionLines: [`a=group:BUNDLE ${this.#mid}`, 'a=ice-lite'],
      lines: [`a=mid:${this.#mid}`, ...lines, ...iceLines(this.#ice, place)],
    };
  }

  #dtlsLines(setup: 'active' | 'passive' | 'actpass'): string[] {
    const { algorithm, value } = this.#fingerprint!;
    return [`a=fingerprint:${algorithm} ${value}`, `a=setup:${setup}`];
  }
}

function newCredentials(): Omit<IceCredentials, 'remoteUfrag'> {
  const word = (bytes: number) => randomBytes(bytes).toString('base64').replace(/=/g, '');
  return { localUfrag: word(6), localPassword: word(24) };
}

function iceLines({ localUfrag, localPassword }: IceCredentials, { address, port }: OwnPlace): string[] {
  const foundation = isIPv6(address) ? 2 : 1;
  return [
    `a=ice-ufrag:${localUfrag}`,
    `a=ice-pwd:${localPassword}`,
    `a=candidate:${foundation} 1 udp ${CANDIDATE_PRIORITY} ${address} ${port} typ host`,
    'a=end-of-candidates',
  ];
}

function sameKey(a: SrtpKey | undefined, b: SrtpKey): boolean {
  return a !== undefined && a.profile === b.profile && Buffer.compare(a.master, b.master) === 0;
}

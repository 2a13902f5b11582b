import { randomBytes } from 'node:crypto';
import { RtpHeader, RtpPacket, SrtcpSession, SrtpSession } from 'werift';

/** How the phone encrypts: the m-line it writes, and what it does wrong when it is to. */
export interface PhoneSrtpOptions {
  /** Default RTP/SAVP. */
  readonly protocol?: string;
  /** Encrypts by another key than it says. */
  readonly wrongKey?: boolean;
}

const SUITE = 'AES_CM_128_HMAC_SHA1_80';
const KEY_BYTES = 16;
const MASTER_BYTES = 30;
const PROFILE = 1;

/** SRTP with SDES keys of the phone, by werift: it shares no code with the connector's. */
export class PhoneSrtp {
  readonly protocol: string;
  readonly #options: PhoneSrtpOptions;
  #own = randomBytes(MASTER_BYTES);
  #theirs: Buffer | undefined;
  #rtp: SrtpSession | undefined;
  #rtcp: SrtcpSession | undefined;

  constructor(options: PhoneSrtpOptions) {
    this.#options = options;
    this.protocol = options.protocol ?? 'RTP/SAVP';
  }

  /** The a=crypto line of an offer or answer. */
  get line(): string {
    return `a=crypto:1 ${SUITE} inline:${this.#own.toString('base64')}`;
  }

  /** From the next description on. */
  changeKey(): void {
    this.#own = randomBytes(MASTER_BYTES);
    this.#theirs = undefined;
  }

  /** Their description; false when it has no key for us. */
  connect(sdp: string): boolean {
    const found = /^a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:([A-Za-z0-9+/=]+)/m.exec(sdp);
    if (!found) return false;
    const theirs = Buffer.from(found[1]!, 'base64');
    if (this.#theirs?.equals(theirs)) return true;
    this.#theirs = theirs;
    const own = this.#options.wrongKey ? randomBytes(MASTER_BYTES) : this.#own;
    const keys = {
      localMasterKey: own.subarray(0, KEY_BYTES),
      localMasterSalt: own.subarray(KEY_BYTES),
      remoteMasterKey: theirs.subarray(0, KEY_BYTES),
      remoteMasterSalt: theirs.subarray(KEY_BYTES),
    };
    this.#rtp = new SrtpSession({ keys, profile: PROFILE });
    this.#rtcp = new SrtcpSession({ keys, profile: PROFILE });
    return true;
  }

  protect(packet: Buffer): Buffer | undefined {
    const { header, payload } = RtpPacket.deSerialize(packet);
    return this.#rtp?.encrypt(payload, new RtpHeader({ ...header }));
  }

  /** Undefined for what does not open. */
  open(data: Buffer): Buffer | undefined {
    try {
      const reports = data[1]! >= 192 && data[1]! <= 223;
      return reports ? this.#rtcp?.decrypt(data) : this.#rtp?.decrypt(data);
    } catch {
      return undefined;
    }
  }
}

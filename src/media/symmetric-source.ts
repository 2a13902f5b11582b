import type { Ms } from '../core/clock.ts';

/** The locked source must have been silent this long before its stream may come from another address. */
const MOVE_AFTER_MS = 200;

/**
 * Symmetric RTP (RFC 4961): the first valid packet after the answer tells where the peer really is, behind whatever
 * NAT; packets from elsewhere are refused from then on. Only a stream with the locked SSRC may move to another address
 * (a NAT that rebinds), which an off-path attacker cannot know.
 */
export class SymmetricSource {
  address = '';
  port = 0;
  locked = false;
  #ssrc = 0;
  #lastAt: Ms = 0;

  /** Lock again at the next valid packet: the session was re-negotiated. */
  unlock(): void {
    this.locked = false;
  }

  /** The peer is known already: another worker has heard it. */
  lock(address: string, port: number): void {
    this.address = address;
    this.port = port;
    this.locked = true;
  }

  /** Is this packet's source the peer? 'locked' when it has just become so. */
  check(address: string, port: number, ssrc: number, now: Ms): 'same' | 'locked' | 'refused' {
    if (this.locked) {
      if (port === this.port && address === this.address) {
        this.#ssrc = ssrc;
        this.#lastAt = now;
        return 'same';
      }
      if (ssrc !== this.#ssrc || now - this.#lastAt < MOVE_AFTER_MS) return 'refused';
    }
    this.address = address;
    this.port = port;
    this.locked = true;
    this.#ssrc = ssrc;
    this.#lastAt = now;
    return 'locked';
  }
}

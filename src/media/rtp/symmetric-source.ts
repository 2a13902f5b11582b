import type { Ms } from '../../core/clock.ts';

/** The locked source must have been silent this long before its stream may come from another address. */
const MOVE_AFTER_MS = 200;

/**
 * Symmetric RTP (RFC 4961): the first valid packet after the answer tells where the peer really is, behind whatever
 * NAT; packets from elsewhere are refused from then on. Only a stream with the locked SSRC may move to another address
 * (a NAT that rebinds), which an off-path attacker cannot know, or one from the very place that the peer announced.
 */
export class SymmetricSource {
  address = '';
  port = 0;
  locked = false;
  /** ICE has chosen: nothing else counts. */
  #nominated = false;
  #announced: { address: string; port: number } | undefined;
  #ssrc = 0;
  #lastAt: Ms = 0;

  /** Lock again at the next valid packet: the session was re-negotiated. */
  unlock(): void {
    if (!this.#nominated) this.locked = false;
  }

  /** ICE has chosen this address (RFC 8445 section 8.3.2); it may choose another later. */
  nominate(address: string, port: number): void {
    this.lock(address, port);
    this.#nominated = true;
  }

  /** Where the peer says it is. Whoever was locked on to before it spoke from there was somebody else. */
  announce(address: string, port: number): void {
    this.#announced = { address, port };
  }

  /** The peer is known already: another worker has heard it. */
  lock(address: string, port: number): void {
    this.address = address;
    this.port = port;
    this.locked = true;
    // No stream has this one: until the peer has spoken here, nobody else can be it.
    this.#ssrc = -1;
  }

  /** Could a packet from there be the peer's? For what costs more to find out than an address. */
  possible(address: string, port: number, now: Ms): boolean {
    if (!this.locked || (port === this.port && address === this.address)) return true;
    if (this.#nominated) return false;
    const announced = address === this.#announced?.address && port === this.#announced.port;
    return announced || now - this.#lastAt >= MOVE_AFTER_MS;
  }

  /** Is this packet's source the peer? 'locked' when it has just become so. */
  check(address: string, port: number, ssrc: number, now: Ms): 'same' | 'locked' | 'refused' {
    if (this.locked) {
      if (port === this.port && address === this.address) {
        const first = this.#nominated && this.#ssrc < 0;
        this.#ssrc = ssrc;
        this.#lastAt = now;
        return first ? 'locked' : 'same';
      }
      if (this.#nominated) return 'refused';
      const announced = address === this.#announced?.address && port === this.#announced.port;
      if (announced) return this.#lock(address, port, ssrc, now);
      if (ssrc !== this.#ssrc || now - this.#lastAt < MOVE_AFTER_MS) return 'refused';
    }
    return this.#lock(address, port, ssrc, now);
  }

  #lock(address: string, port: number, ssrc: number, now: Ms): 'locked' {
    this.lock(address, port);
    this.#ssrc = ssrc;
    this.#lastAt = now;
    return 'locked';
  }
}

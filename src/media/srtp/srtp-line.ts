import type { SrtpKey, SrtpProfileName } from './profiles.ts';
import { type Refused, SrtpReceiver } from './srtp-receiver.ts';
import { SrtpSender } from './srtp-sender.ts';

/** The keys of a call, one for each direction. */
export interface SrtpKeys {
  send: SrtpKey;
  receive: SrtpKey;
}

/** Packets refused for the sake of SRTP, over the call. */
export interface SrtpCounts {
  /** A wrong key, or changed on the way. */
  forged: number;
  /** Seen before. */
  replayed: number;
  /** Not encrypted, or torn. */
  unprotected: number;
}

/**
 * SRTP of one call, both ways, under keys that may change (RFC 4568 section 6.3). Once there are keys there is no way
 * back: what comes in the clear is refused.
 */
export class SrtpLine {
  readonly counts: SrtpCounts = { forged: 0, replayed: 0, unprotected: 0 };
  #required = false;
  #keys: SrtpKeys | undefined;
  #sender: SrtpSender | undefined;
  #receiver: SrtpReceiver | undefined;
  /** Of the key before, until the peer has used the new one: packets are on their way. */
  #previous: SrtpReceiver | undefined;

  /** SRTP is agreed, with or without keys yet. */
  get required(): boolean {
    return this.#required;
  }

  get profile(): SrtpProfileName | undefined {
    return this.#keys?.send.profile;
  }

  /** From now on nothing is read or sent in the clear; keys may come later (DTLS). */
  require(): void {
    this.#required = true;
  }

  /** New keys, or the same again: then indexes go on. `carried`: where another worker stood with these keys. */
  use(keys: SrtpKeys, carried?: SrtpCarried): void {
    this.#required = true;
    const from = this.#keys === undefined ? carried : undefined;
    if (this.#keys === undefined || !sameKey(this.#keys.send, keys.send)) {
      this.#sender = new SrtpSender(keys.send, from?.sent);
    }
    if (this.#keys === undefined || !sameKey(this.#keys.receive, keys.receive)) {
      const before = this.#receiver;
      this.#receiver = new SrtpReceiver(keys.receive, from?.received);
      if (before) this.#receiver.follow(before);
      this.#previous = before;
    }
    this.#keys = keys;
  }

  /** As it may travel: unchanged without SRTP, undefined while keys are missing. */
  protectRtp(packet: Uint8Array): Uint8Array | undefined {
    return this.#required ? this.#sender?.protectRtp(packet) : packet;
  }

  /** As protectRtp. */
  protectRtcp(packet: Uint8Array): Uint8Array | undefined {
    return this.#required ? this.#sender?.protectRtcp(packet) : packet;
  }

  /** What is in it: itself without SRTP; undefined, and counted, when it is refused. */
  openRtp(data: Uint8Array): Uint8Array | undefined {
    if (!this.#required) return data;
    return this.#take((receiver) => receiver.openRtp(data));
  }

  /** As openRtp. */
  openRtcp(data: Uint8Array): Uint8Array | undefined {
    if (!this.#required) return data;
    return this.#take((receiver) => receiver.openRtcp(data));
  }

  /** Where this line stands, for the worker that goes on should this one die. */
  get carried(): SrtpCarried | undefined {
    return this.#sender && { sent: this.#sender.position, received: this.#receiver?.position };
  }

  #take(open: (receiver: SrtpReceiver) => Uint8Array | Refused): Uint8Array | undefined {
    // Encrypted or not, nobody can tell yet: the peer may have its keys a moment before us.
    if (this.#receiver === undefined) return undefined;
    let taken = open(this.#receiver);
    if (this.#previous) {
      if (taken === 'forged') taken = open(this.#previous);
      else if (typeof taken !== 'string') this.#previous = undefined;
    }
    if (typeof taken !== 'string') return taken;
    if (taken === 'malformed') this.counts.unprotected++;
    else this.counts[taken]++;
    return undefined;
  }
}

export interface SrtpCarried {
  sent: SrtpSender['position'];
  received: SrtpReceiver['position'];
}

function sameKey(a: SrtpKey, b: SrtpKey): boolean {
  return (
    a.profile === b.profile && Buffer.compare(a.master, b.master) === 0 && Buffer.compare(mkiOf(a), mkiOf(b)) === 0
  );
}

function mkiOf({ mki }: SrtpKey): Uint8Array {
  return mki ?? new Uint8Array(0);
}

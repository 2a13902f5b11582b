import { RtpPacket } from './rtp-packet.ts';

/** Copies that nobody needs any more, for those to come: hundreds of calls of a thread hold two or three each. */
const MOST_SPARE = 4096;
/** RTP of 20 ms of G.711 and more; longer packets get more. */
const USUAL_BYTES = 256;

/**
 * Packets that wait for their turn, as copies: what they arrived in is written anew with the next one. Copies are used again
 * and again, so that thousands of packets a second leave nothing to be collected. Of a thread, or of a test.
 */
export class HeldPackets {
  readonly #spare: RtpPacket[] = [];

  /** A copy, the caller's until it is given back. One that is never given back is merely lost. */
  hold(packet: RtpPacket): RtpPacket {
    const held = this.#spare.pop() ?? new RtpPacket();
    const { data } = packet;
    if (held.data.length < data.length) held.data = new Uint8Array(Math.max(USUAL_BYTES, data.length));
    held.data.set(data);
    held.payloadType = packet.payloadType;
    held.marker = packet.marker;
    held.sequence = packet.sequence;
    held.timestamp = packet.timestamp;
    held.ssrc = packet.ssrc;
    held.payloadOffset = packet.payloadOffset;
    held.payloadLength = packet.payloadLength;
    held.time = packet.time;
    held.samples = packet.samples;
    return held;
  }

  /** Nobody will look at this copy any more. Once each. */
  giveBack(held: RtpPacket): void {
    if (this.#spare.length < MOST_SPARE) this.#spare.push(held);
  }
}

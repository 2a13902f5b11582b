import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { monotonicNow } from '../../src/core/clock.ts';
import { PCMU } from '../../src/media/codecs/g711.ts';
import type { RtpPacket } from '../../src/media/rtp/rtp-packet.ts';
import { parseRtp } from './rtp-datagram.ts';
import { datagram, type PacketOptions } from './support.ts';

/** The other end of a call's media: a real UDP socket that speaks and hears RTP at a steady pace. */
export class RtpPeer {
  readonly received: { at: number; packet: RtpPacket }[] = [];
  sequence = 65_500;
  timestamp = 2 ** 32 - 16_000;
  ssrc = 0xbeef;
  readonly #socket: Socket;
  #target = 0;
  #hungUp = false;
  #onPacket: ((packet: RtpPacket) => void) | undefined;

  protected constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const packet = parseRtp(data);
      if (!packet) return;
      this.received.push({ at: monotonicNow(), packet });
      this.#onPacket?.(packet);
    });
  }

  static async open(): Promise<RtpPeer> {
    return new RtpPeer(await RtpPeer.bound());
  }

  protected static async bound(): Promise<Socket> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return socket;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  callTo(port: number): void {
    this.#target = port;
  }

  /** Hangs up: what it was still saying is cut off. */
  close(): void {
    this.#hungUp = true;
    this.#socket.close();
  }

  send(options: PacketOptions): void {
    if (this.#hungUp) return;
    this.#socket.send(datagram({ ssrc: this.ssrc, ...options }), this.#target, '127.0.0.1');
  }

  /**
   * Speaks `pcm` in real time, 20 ms per packet. `order` may return, for frame i, which frames to send at that moment
   * (lost: none, doubled: twice, reordered: others). Ends with the last word, or when this phone hangs up.
   */
  async speak(pcm: Int16Array, order: (frame: number) => number[] = (frame) => [frame]): Promise<void> {
    const frames = Math.floor(pcm.length / 160);
    const start = monotonicNow();
    const { sequence, timestamp } = this;
    for (let i = 0; i < frames; i++) {
      const wait = start + i * 20 - monotonicNow();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      if (this.#hungUp) return;
      for (const frame of order(i)) {
        const samples = pcm.subarray(frame * 160, frame * 160 + 160);
        const payload = Uint8Array.from(samples, (s) => PCMU.fromLinear[s & 0xffff]!);
        this.send({ sequence: sequence + frame, timestamp: timestamp + frame * 160, payload });
      }
    }
    this.sequence = sequence + frames;
    this.timestamp = timestamp + frames * 160;
  }

  /**
   * From now on this phone is on its loudspeaker: it sends back what it hears, `delayMs` late and `attenuationDb` weaker,
   * with what `say` adds. Its clock is what it hears, a packet for a packet, so the delay is the same however busy the
   * machine is.
   */
  echo(delayMs: number, attenuationDb: number): { say(pcm: Int16Array): void; leave(): void } {
    const gain = 10 ** (-attenuationDb / 20);
    let near: Int16Array = new Int16Array(0);
    let said = 0;
    const air: number[] = new Array(delayMs * 8).fill(0);
    this.#onPacket = ({ data, payloadOffset, payloadLength }) => {
      for (let i = 0; i < payloadLength; i++) air.push(gain * PCMU.toLinear[data[payloadOffset + i]!]!);
      const payload = Uint8Array.from(air.splice(0, payloadLength), (echo) => {
        const sample = Math.round(echo) + (near[said++] ?? 0);
        return PCMU.fromLinear[sample & 0xffff]!;
      });
      this.send({ sequence: this.sequence++, timestamp: this.timestamp, payload });
      this.timestamp += payloadLength;
    };
    return {
      say: (pcm) => {
        near = pcm;
        said = 0;
      },
      leave: () => {
        this.#onPacket = undefined;
      },
    };
  }

  /** Everything heard so far, decoded, packet after packet. */
  heard(): Int16Array {
    return Int16Array.from(
      this.received.flatMap(({ packet }) =>
        [...packet.data.subarray(packet.payloadOffset, packet.payloadOffset + packet.payloadLength)].map(
          (octet) => PCMU.toLinear[octet]!,
        ),
      ),
    );
  }

  /** Packets heard that carry sound. */
  loud(): { at: number; packet: RtpPacket }[] {
    return this.received.filter(({ packet }) =>
      packet.data.subarray(packet.payloadOffset).some((octet) => Math.abs(PCMU.toLinear[octet]!) > 260),
    );
  }
}

import { monotonicNow } from '../../src/core/clock.ts';
import type { AudioDecoder, AudioEncoder, CodecName } from '../../src/media/codecs/codec.ts';
import { codecNamed } from '../../src/media/codecs/index.ts';
import { RtpPeer } from './rtp-peer.ts';

/** An RtpPeer that speaks and hears in any codec of ours, with states of its own. */
export class CodecPeer extends RtpPeer {
  static readonly NUMBERS: Record<CodecName, number> = { PCMU: 0, PCMA: 8, G722: 9, opus: 107 };
  readonly #codecs: (AudioDecoder | AudioEncoder)[] = [];

  static override async open(): Promise<CodecPeer> {
    return new CodecPeer(await RtpPeer.bound());
  }

  override close(): void {
    super.close();
    for (const codec of this.#codecs.splice(0)) codec.close();
  }

  /** Speaks in real time, `ms` per packet. */
  async speakIn(name: CodecName, pcm: Int16Array, ms = 20): Promise<void> {
    const codec = codecNamed(name);
    const samples = ms * 8;
    const encoder = codec.encoder(samples);
    this.#codecs.push(encoder);
    const start = monotonicNow();
    for (let at = 0; at + samples <= pcm.length; at += samples) {
      const bytes = new Uint8Array(1275);
      const payload = bytes.slice(0, encoder.encode(pcm, at, samples, bytes, 0));
      this.send({
        sequence: this.sequence++,
        timestamp: this.timestamp,
        payloadType: CodecPeer.NUMBERS[name],
        payload,
      });
      this.timestamp += samples * (codec.clockRate / 8000);
      const wait = start + (at + samples) / 8 - monotonicNow();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  /** What came under the codec's payload number, from the packet `from` on. */
  heardIn(name: CodecName, from = 0): Int16Array {
    const decoder = codecNamed(name).decoder();
    this.#codecs.push(decoder);
    const packets = this.received
      .slice(from)
      .map(({ packet }) => packet)
      .filter((p) => p.payloadType === CodecPeer.NUMBERS[name]);
    const out = new Int16Array(packets.length * 960);
    let at = 0;
    for (const { data, payloadOffset, payloadLength } of packets) {
      at += decoder.decode(data, payloadOffset, payloadLength, out, at);
    }
    return out.subarray(0, at);
  }
}

import type { Pcm } from '../audio.ts';
import type { AudioDecoder, Codec, CodecName } from '../codecs/codec.ts';
import { codecNamed } from '../codecs/index.ts';
import type { RemoteAudio } from '../ports.ts';
import type { RtpPacket } from './rtp-packet.ts';

export type ReceivedFormat = { kind: 'audio'; codec: Codec } | { kind: 'event'; clockRate: number } | { kind: 'noise' };

/** Static numbers of RFC 3551 that some send without having said so. */
const UNASKED: readonly { payloadType: number; codec: CodecName }[] = [
  { payloadType: 0, codec: 'PCMU' },
  { payloadType: 8, codec: 'PCMA' },
];
const COMFORT_NOISE = 13;
const RATIO = 6;

/** What the peer may send, by payload type, and the state of decoding it, for the playing and for the early ear. */
export class ReceivedFormats {
  #formats: (ReceivedFormat | undefined)[] = [];
  #decoders = new Map<Codec, AudioDecoder>();
  #early = new Map<Codec, AudioDecoder>();
  #playing: AudioDecoder | undefined;
  /** The numbers whose decoders were asked for last; -1: not since formats or decoders changed. */
  #playingType = -1;
  #earlyType = -1;
  #hearing: AudioDecoder | undefined;
  #unwrapped = 0;
  #lastTimestamp = 0;

  /** What was negotiated, and again: decoders that still serve keep their state. */
  expect(remote: RemoteAudio): void {
    const formats: (ReceivedFormat | undefined)[] = new Array(128).fill(undefined);
    for (const { payloadType, codec } of [...UNASKED, ...(remote.accepts ?? []), remote]) {
      formats[payloadType] = { kind: 'audio', codec: codecNamed(codec) };
    }
    formats[COMFORT_NOISE] ??= { kind: 'noise' };
    if (remote.comfortNoisePayloadType !== undefined) formats[remote.comfortNoisePayloadType] = { kind: 'noise' };
    for (const { payloadType, clockRate } of remote.telephoneEvents ?? []) {
      formats[payloadType] = { kind: 'event', clockRate };
    }
    this.#formats = formats;
    this.#forget();
  }

  of(payloadType: number): ReceivedFormat | undefined {
    return this.#formats[payloadType];
  }

  /** A timestamp of audio at 8 kHz; unwrapped first, since a sixth of 32 bits does not wrap at 32 bits. */
  time(timestamp: number, clockRate: number): number {
    this.#unwrapped += (timestamp - this.#lastTimestamp) | 0;
    this.#lastTimestamp = timestamp;
    return clockRate === 8000 ? timestamp : Math.floor(this.#unwrapped / RATIO) >>> 0;
  }

  decoder(payloadType: number): AudioDecoder {
    if (payloadType !== this.#playingType || this.#playing === undefined) {
      this.#playing = this.#in(this.#decoders, payloadType);
      this.#playingType = payloadType;
    }
    return this.#playing;
  }

  earlyDecoder(payloadType: number): AudioDecoder {
    if (payloadType !== this.#earlyType || this.#hearing === undefined) {
      this.#hearing = this.#in(this.#early, payloadType);
      this.#earlyType = payloadType;
    }
    return this.#hearing;
  }

  /** Conceals by the codec that played last, if it knows how. */
  conceal(out: Pcm, at: number, length: number): boolean {
    return this.#playing?.conceal?.(out, at, length) ?? false;
  }

  /** Hears what was lost before `next` out of `next`, if it is of the codec that played last and says it again. */
  recover(next: RtpPacket, out: Pcm, at: number, length: number): boolean {
    const playing = this.#playing;
    const format = this.#formats[next.payloadType];
    if (playing?.recover === undefined || format?.kind !== 'audio' || format.codec !== playing.codec) return false;
    return playing.recover(next.data, next.payloadOffset, next.payloadLength, out, at, length);
  }

  /** The stream begins anew: so do the decoders. */
  restart(): void {
    for (const decoder of [...this.#decoders.values(), ...this.#early.values()]) decoder.close();
    this.#decoders.clear();
    this.#early.clear();
    this.#playing = undefined;
    this.#forget();
  }

  /** Idempotent; packets of closed formats are not decoded any more. */
  close(): void {
    this.#formats = [];
    this.restart();
  }

  #forget(): void {
    this.#playingType = -1;
    this.#earlyType = -1;
    this.#hearing = undefined;
  }

  #in(decoders: Map<Codec, AudioDecoder>, payloadType: number): AudioDecoder {
    const format = this.#formats[payloadType];
    // Queued before a re-negotiation took its number away: what it was is not known any more, G.711 is likely.
    const codec = format?.kind === 'audio' ? format.codec : codecNamed('PCMU');
    let decoder = decoders.get(codec);
    if (decoder === undefined) {
      decoder = codec.decoder();
      decoders.set(codec, decoder);
    }
    return decoder;
  }
}

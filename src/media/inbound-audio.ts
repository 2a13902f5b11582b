import type { Ms } from '../core/clock.ts';
import { FRAME_MS, FRAME_SAMPLES, type Pcm, SAMPLE_RATE } from './audio.ts';
import { Concealment } from './concealment.ts';
import { DtmfReceiver } from './dtmf.ts';
import { EarlyEar } from './early-ear.ts';
import { decodeG711, type G711, g711, PCMU } from './g711.ts';
import { JitterBuffer } from './jitter-buffer.ts';
import type { MediaStats, RemoteAudio } from './ports.ts';
import { parseRtp, type RtpPacket } from './rtp-packet.ts';
import { SymmetricSource } from './symmetric-source.ts';

/** Longest packet decoded: 120 ms. Longer ones are refused. */
const MAX_PACKET_SAMPLES = 960;
/** Quieter than this, the jitter buffer may change its delay unheard: the mean of absolute samples. */
const QUIET_MEAN = 160;
const perMs = SAMPLE_RATE / 1000;

export interface InboundHooks {
  started(at: Ms, from: string): void;
  dtmf(at: Ms, digit: string, durationMs: Ms): void;
  /** No packets for this long. Once per silence. */
  timeout(at: Ms, silentMs: Ms): void;
}

/** The caller's direction: datagrams in, a frame of 20 ms out at every tick. */
export class InboundAudio {
  readonly jitter = new JitterBuffer();
  readonly source = new SymmetricSource();
  /** The same audio before the jitter buffer. */
  readonly early = new EarlyEar();
  refused = 0;
  concealed = 0;
  /** When the first sample of the frame given out last was spoken, as near as we can tell. */
  frameAt: Ms = 0;

  readonly #hooks: InboundHooks;
  readonly #timeoutMs: Ms;
  readonly digits = new DtmfReceiver();
  readonly #concealment = new Concealment();
  /** Decoded samples that are not given out yet: packets may be longer than a frame. */
  readonly #fifo = new Int16Array(MAX_PACKET_SAMPLES + FRAME_SAMPLES);
  readonly #frame = new Int16Array(FRAME_SAMPLES);
  #fifoFill = 0;
  #codec: G711 = PCMU;
  #remote: RemoteAudio | undefined;
  #quiet = true;
  #lastPacketAt: Ms = 0;
  #timedOut = false;
  #dtmfEpoch = 0;

  constructor(timeoutMs: Ms, hooks: InboundHooks) {
    this.#timeoutMs = timeoutMs;
    this.#hooks = hooks;
  }

  /** What was negotiated, and again. Locks anew only when the peer named another place. */
  connect(remote: RemoteAudio, now: Ms): void {
    const before = this.#remote;
    this.#remote = remote;
    this.#codec = g711(remote.codec);
    if (before === undefined || before.address !== remote.address || before.port !== remote.port) this.source.unlock();
    this.#lastPacketAt = now;
    this.#timedOut = false;
  }

  /** One datagram. */
  datagram(data: Uint8Array, address: string, port: number, now: Ms): void {
    const remote = this.#remote;
    const packet = parseRtp(data);
    if (remote === undefined || packet === undefined || packet.payloadLength > MAX_PACKET_SAMPLES) {
      this.refused++;
      return;
    }
    const { payloadType } = packet;
    const audio = payloadType === remote.payloadType || payloadType === 0 || payloadType === 8;
    const event = payloadType === remote.telephoneEventPayloadType;
    if (!audio && !event && payloadType !== remote.comfortNoisePayloadType && payloadType !== 13) {
      this.refused++;
      return;
    }
    const verdict = this.source.check(address, port, packet.ssrc, now);
    if (verdict === 'refused') {
      this.refused++;
      return;
    }
    this.#lastPacketAt = now;
    this.#timedOut = false;
    if (verdict === 'locked') this.#hooks.started(now, `${address}:${port}`);
    this.jitter.push(packet, now, audio && packet.payloadLength > 0);
    if (audio && packet.payloadLength > 0) this.early.push(packet, this.#codecOf(payloadType), now);
    if (event) this.#event(packet, now);
  }

  /** The caller's next 20 ms; undefined when the peer is silent. The array is used again for the next frame. */
  frame(now: Ms): Pcm | undefined {
    const fifo = this.#fifo;
    let heard = this.#fifoFill > 0;
    while (this.#fifoFill < FRAME_SAMPLES) {
      const next = this.jitter.pull(now, this.#quiet);
      if (next === undefined) break;
      heard = true;
      if (next === 'lost') {
        const samples = Math.min(MAX_PACKET_SAMPLES, this.jitter.packetMs * perMs);
        this.#concealment.conceal(fifo, this.#fifoFill, samples);
        this.#fifoFill += samples;
        this.concealed++;
      } else {
        const codec = this.#codecOf(next.payloadType);
        decodeG711(codec, next.data, next.payloadOffset, next.payloadLength, fifo, this.#fifoFill);
        this.#concealment.good(fifo, this.#fifoFill, next.payloadLength);
        this.#fifoFill += next.payloadLength;
        this.frameAt = now - this.jitter.delayMs - next.payloadLength / perMs - FRAME_MS;
      }
    }
    this.frameAt += FRAME_MS;
    if (!heard) {
      this.#concealment.silent();
      this.#quiet = true;
      this.frameAt = now - this.jitter.targetMs - FRAME_MS;
      return undefined;
    }
    if (this.#fifoFill < FRAME_SAMPLES) {
      fifo.fill(0, this.#fifoFill, FRAME_SAMPLES);
      this.#fifoFill = FRAME_SAMPLES;
    }
    const frame = this.#frame;
    let sum = 0;
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const sample = fifo[i]!;
      frame[i] = sample;
      sum += sample < 0 ? -sample : sample;
    }
    this.#quiet = sum < QUIET_MEAN * FRAME_SAMPLES;
    this.#fifoFill -= FRAME_SAMPLES;
    if (this.#fifoFill > 0) fifo.copyWithin(0, FRAME_SAMPLES, FRAME_SAMPLES + this.#fifoFill);
    return frame;
  }

  /** Call now and then; raises the timeout. A peer on hold that said it would not send is not missed. */
  watch(now: Ms): void {
    if (this.#remote === undefined || this.#timedOut) return;
    if (!this.#remote.receive) {
      this.#lastPacketAt = now;
      return;
    }
    const silentMs = now - this.#lastPacketAt;
    if (silentMs < this.#timeoutMs) return;
    this.#timedOut = true;
    this.#hooks.timeout(now, silentMs);
  }

  stats(packetsSent: number): MediaStats {
    const { jitter } = this;
    return {
      packetsReceived: jitter.reception.received,
      packetsLost: jitter.reception.lost,
      packetsLate: jitter.late,
      packetsDuplicated: jitter.reception.duplicated,
      packetsRefused: this.refused,
      packetsSent,
      concealedFrames: this.concealed,
      jitterMs: jitter.reception.jitterMs,
      jitterBufferMs: jitter.delayMs,
    };
  }

  #codecOf(payloadType: number): G711 {
    if (payloadType === this.#remote?.payloadType) return this.#codec;
    return g711(payloadType === 8 ? 'PCMA' : 'PCMU');
  }

  #event(packet: RtpPacket, now: Ms): void {
    if (this.jitter.reception.epoch !== this.#dtmfEpoch) {
      this.#dtmfEpoch = this.jitter.reception.epoch;
      this.digits.reset();
    }
    const digit = this.digits.push(packet);
    if (digit) this.#hooks.dtmf(now, digit.digit, digit.durationMs);
  }
}

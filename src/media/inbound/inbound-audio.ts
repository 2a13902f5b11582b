import type { Ms } from '../../core/clock.ts';
import { TokenBucket } from '../../core/token-bucket.ts';
import { FRAME_MS, FRAME_SAMPLES, type Pcm, SAMPLE_RATE } from '../audio.ts';
import { int16s } from '../call-memory.ts';
import { DtmfReceiver } from '../keys/dtmf.ts';
import type { MediaStats, RemoteAudio } from '../ports.ts';
import { HeldPackets } from '../rtp/held-packets.ts';
import { ReceivedFormats } from '../rtp/received-formats.ts';
import { RtpPacket, readRtp } from '../rtp/rtp-packet.ts';
import { SymmetricSource } from '../rtp/symmetric-source.ts';
import { ComfortNoise } from './comfort-noise.ts';
import { Concealment, HEARD_BEFORE } from './concealment.ts';
import { EarlyEar } from './early-ear.ts';
import { JitterBuffer } from './jitter-buffer.ts';
import { lengthen, shorten } from './time-scale.ts';

/** Longest packet decoded: 120 ms. Longer ones are refused. */
const MAX_PACKET_SAMPLES = 960;
/** Quieter than this, the jitter buffer may change its delay unheard: the mean of absolute samples. */
const QUIET_MEAN = 160;
/** The delay is corrected by a pitch period when it is this far from what is aimed for. */
const CORRECT_FROM_MS = 12;
/** And at most this often, so that speech keeps its pace: by a tenth at most. */
const CORRECT_EVERY_MS = 100;
/** So far off, sounds that do not repeat themselves are corrected too. */
const CORRECT_ANYWAY_MS = 45;
/** So near to running out, a period too many is better than the concealment of 20 ms. */
const NEARLY_EMPTY_MS = 5;
const MAX_CORRECTION = 120;
/** What was heard, what waits, and the longest packet: some frames of the usual ones fit in before all of it moves. */
const BUFFER = HEARD_BEFORE + FRAME_SAMPLES + MAX_PACKET_SAMPLES + MAX_CORRECTION + 258;
const perMs = SAMPLE_RATE / 1000;
/**
 * Audio is taken at four times the pace at which anybody speaks, and three seconds of it at once: enough for events beside
 * audio, for packets that the network doubles, and for what an outage has held up. What comes beyond is not even decoded:
 * VAD and decoders have the other calls of this thread to serve.
 */
const MOST_SAMPLES = { perSecond: 4 * SAMPLE_RATE, burst: 3 * SAMPLE_RATE };
/** A packet costs at least as much as one of 10 ms. */
const LEAST_COST = 10 * perMs;
/** The packet that has just arrived, and those that wait, of all calls of this thread. */
const arrived = new RtpPacket();
const held = new HeldPackets();

/** People do not wait longer on hold, and a peer that died while it held is found out in the end. */
const HELD_TIMEOUT_MS: Ms = 15 * 60_000;

export interface InboundHooks {
  started(at: Ms, from: string): void;
  /** A key was pressed; and let go, after this long in all. */
  keyDown(at: Ms, digit: string, durationMs: Ms): void;
  keyUp(at: Ms, digit: string, durationMs: Ms): void;
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
  /** Lost packets heard all the same, out of the redundancy of those behind them. */
  recovered = 0;
  /** Pitch periods left out and put in to hold the delay: the clocks drift, or the network has changed. */
  corrections = 0;
  /** When the first sample of the frame given out last was spoken, as near as we can tell. */
  frameAt: Ms = 0;

  readonly #hooks: InboundHooks;
  readonly #timeoutMs: Ms;
  readonly #consentTimeoutMs: Ms;
  readonly digits = new DtmfReceiver();
  readonly #concealment = new Concealment();
  readonly #noise = new ComfortNoise();
  readonly #formats = new ReceivedFormats();
  /**
   * What was decoded and is not given out yet, from #read to #end (packets may be longer than a frame), and before it what was
   * heard: all of a call's audio in one place, since hundreds of calls' do not fit into a processor's cache.
   */
  readonly #audio = int16s(BUFFER);
  #read = HEARD_BEFORE;
  #end = HEARD_BEFORE;
  /** Views of its frames, which always begin at the same places. */
  readonly #frames: Pcm[] = [];
  #correctedAt: Ms = 0;
  #remote: RemoteAudio | undefined;
  #quiet = true;
  #lastPacketAt: Ms = 0;
  #timedOut = false;
  #epoch = 0;
  #noiseSince = 0;
  readonly #room = new TokenBucket(MOST_SAMPLES, 0);

  /** Timeouts: as MediaSessionOptions. */
  constructor(timeoutMs: Ms, hooks: InboundHooks, consentTimeoutMs = timeoutMs) {
    this.#timeoutMs = timeoutMs;
    this.#consentTimeoutMs = consentTimeoutMs;
    this.#hooks = hooks;
  }

  /** What was negotiated, and again. Locks anew only when the peer named another place. */
  connect(remote: RemoteAudio, now: Ms): void {
    const before = this.#remote;
    this.#remote = remote;
    this.#formats.expect(remote);
    if (before === undefined || before.address !== remote.address || before.port !== remote.port) this.source.unlock();
    this.source.announce(remote.address, remote.port);
    this.#lastPacketAt = now;
    this.#timedOut = false;
  }

  /** One datagram; its bytes are looked at here and now. */
  datagram(data: Uint8Array, address: string, port: number, now: Ms): void {
    const packet = arrived;
    const format = this.#remote && readRtp(data, packet) ? this.#formats.of(packet.payloadType) : undefined;
    if (format === undefined) {
      this.refused++;
      return;
    }
    const audio = format.kind === 'audio';
    packet.samples = audio ? format.codec.samplesIn(packet.data, packet.payloadOffset, packet.payloadLength) : 0;
    if (audio && (packet.samples > MAX_PACKET_SAMPLES || (packet.samples === 0 && packet.payloadLength > 0))) {
      this.refused++;
      return;
    }
    const verdict = this.source.check(address, port, packet.ssrc, now);
    if (verdict === 'refused') {
      this.refused++;
      return;
    }
    this.signOfLife(now);
    if (verdict === 'locked') this.#hooks.started(now, `${address}:${port}`);
    const cost = Math.max(packet.samples, LEAST_COST);
    if (!this.#room.take(MOST_SAMPLES, now, cost)) {
      this.refused++;
      return;
    }
    if (audio) packet.time = this.#formats.time(packet.timestamp, format.codec.clockRate);
    const sounds = packet.samples > 0;
    const kept = sounds ? held.hold(packet) : packet;
    const believed = this.jitter.push(kept, now, sounds);
    if (!believed) {
      // What is not of the caller's stream costs the caller nothing.
      this.#room.giveBack(cost);
      if (sounds) held.giveBack(kept);
    }
    this.#followRestart();
    if (believed && sounds) this.early.push(packet, this.#formats.earlyDecoder(packet.payloadType), now);
    if (format.kind === 'event') this.#event(packet, format.clockRate, now);
    else if (format.kind === 'noise') {
      this.#noise.update(packet.data, packet.payloadOffset, packet.payloadLength);
      this.#noiseSince = packet.time;
    }
  }

  /** The caller's next 20 ms; undefined when the peer is silent. Of use until the next frame. */
  frame(now: Ms): Pcm | undefined {
    this.#keysLetGo(now);
    let heard = this.#waiting > 0;
    while (this.#waiting < FRAME_SAMPLES) {
      const next = this.jitter.pull(now, this.#quiet);
      if (next === undefined) break;
      heard = true;
      if (next === 'lost') {
        this.#conceal(Math.min(MAX_PACKET_SAMPLES, this.jitter.packetMs * perMs));
      } else {
        const before = this.#waiting;
        this.#decode(next);
        this.frameAt = now - this.jitter.delayMs - (before + next.samples) / perMs - FRAME_MS;
        held.giveBack(next);
        this.#correct(before, now);
      }
    }
    this.frameAt += FRAME_MS;
    if (!heard) {
      if (this.#concealment.silent()) this.#audio.fill(0, 0, this.#end);
      this.#quiet = true;
      this.frameAt = now - this.jitter.targetMs - FRAME_MS;
      if (!this.#noise.active) return undefined;
    }
    const missing = FRAME_SAMPLES - this.#waiting;
    if (missing > 0) {
      const at = this.#place(missing);
      this.#end = at + missing;
      this.#noise.fill(this.#audio, at, this.#end);
    }
    const frame = this.#take();
    let sum = 0;
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const sample = frame[i]!;
      sum += sample < 0 ? -sample : sample;
    }
    this.#quiet = sum < QUIET_MEAN * FRAME_SAMPLES;
    return frame;
  }

  /** The peer is there, though it may not be speaking. */
  signOfLife(now: Ms): void {
    this.#lastPacketAt = now;
    this.#timedOut = false;
  }

  /**
   * Call now and then; raises the timeout. A peer that holds and said it would not send is not missed; one that said it
   * would (RFC 3264 8.4: its music) often sends nothing all the same, and is missed late.
   */
  watch(now: Ms): void {
    if (this.#remote === undefined || this.#timedOut) return;
    if (!this.#remote.receive) {
      this.#lastPacketAt = now;
      return;
    }
    const silentMs = now - this.#lastPacketAt;
    if (silentMs < this.#patienceWith(this.#remote)) return;
    this.#timedOut = true;
    this.#hooks.timeout(now, silentMs);
  }

  #patienceWith({ ice, send }: RemoteAudio): Ms {
    if (ice) return this.#consentTimeoutMs;
    return send ? this.#timeoutMs : Math.max(this.#timeoutMs, HELD_TIMEOUT_MS);
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
      ...(this.recovered > 0 && { recoveredFrames: this.recovered }),
      jitterMs: jitter.reception.jitterMs,
      jitterBufferMs: jitter.delayMs,
    };
  }

  /** Frees what the codecs hold. Idempotent. */
  close(): void {
    this.#formats.close();
  }

  /** Samples decoded that are not given out. */
  get #waiting(): number {
    return this.#end - this.#read;
  }

  /** Where so many samples more are to be written. */
  #place(samples: number): number {
    if (this.#end + samples + MAX_CORRECTION > BUFFER) {
      const from = this.#read - HEARD_BEFORE;
      this.#audio.copyWithin(0, from, this.#end);
      this.#read -= from;
      this.#end -= from;
    }
    return this.#end;
  }

  /** The frame that is next, which is there. */
  #take(): Pcm {
    const from = this.#read;
    this.#read = from + FRAME_SAMPLES;
    const turn = (from - HEARD_BEFORE) / FRAME_SAMPLES;
    let frame = this.#frames[turn];
    if (frame === undefined) {
      frame = this.#audio.subarray(from, from + FRAME_SAMPLES);
      this.#frames[turn] = frame;
    }
    return frame;
  }

  #decode(packet: RtpPacket): void {
    const { data, payloadOffset, payloadLength, samples } = packet;
    // Audio before the pause may still be waiting when the pause is described.
    if (((packet.time - this.#noiseSince) | 0) >= 0) this.#noise.active = false;
    const decoder = this.#formats.decoder(packet.payloadType);
    const at = this.#place(samples);
    if (decoder.decode(data, payloadOffset, payloadLength, this.#audio, at) !== samples) {
      this.#conceal(samples);
      return;
    }
    this.#concealment.good(this.#audio, at, samples);
    this.#end = at + samples;
  }

  /** Brings the delay nearer to what is aimed for, by a pitch period of what was just decoded behind `before`. */
  #correct(before: number, now: Ms): void {
    if (now - this.#correctedAt < CORRECT_EVERY_MS) return;
    const { delayMs, targetMs } = this.jitter;
    // What waits here delays the caller, but does not bridge a late packet: a whole frame is needed then.
    const excess = delayMs + before / perMs - targetMs;
    const from = this.#read + before;
    const length = this.#end - from;
    let corrected = length;
    // What is left out must be there already, or concealment would fill its place.
    if (excess > CORRECT_FROM_MS && this.jitter.size > 0) {
      corrected = shorten(this.#audio, from, length, this.#quiet || excess > CORRECT_ANYWAY_MS);
    } else if (targetMs - delayMs > CORRECT_FROM_MS) {
      corrected = lengthen(this.#audio, from, length, this.#quiet || delayMs < NEARLY_EMPTY_MS);
    }
    if (corrected === length) return;
    this.#end = from + corrected;
    this.#correctedAt = now;
    this.corrections++;
  }

  #conceal(samples: number): void {
    const at = this.#place(samples);
    const { behindHole } = this.jitter;
    this.#end = at + samples;
    if (behindHole && this.#formats.recover(behindHole, this.#audio, at, samples)) {
      this.#concealment.good(this.#audio, at, samples);
      this.recovered++;
      return;
    }
    if (this.#formats.conceal(this.#audio, at, samples)) this.#concealment.good(this.#audio, at, samples);
    else this.#concealment.conceal(this.#audio, at, samples);
    this.concealed++;
  }

  /** The sender has started anew: nothing of its state before holds. */
  #followRestart(): void {
    const { epoch } = this.jitter.reception;
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.digits.reset();
    this.#formats.restart();
  }

  #event(packet: RtpPacket, clockRate: number, now: Ms): void {
    const key = this.digits.push(packet, clockRate, now);
    if (key) this.#hooks.keyDown(now, key.digit, key.durationMs);
    this.#keysLetGo(now);
  }

  #keysLetGo(now: Ms): void {
    const keys = this.digits.letGo(now);
    if (keys.length === 0) return;
    for (const { digit, durationMs } of keys) this.#hooks.keyUp(now, digit, durationMs);
  }
}

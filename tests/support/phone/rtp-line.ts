import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { type Ms, monotonicNow } from '../../../src/core/clock.ts';
import { Ear, type HeardPacket } from './ear.ts';
import { encode, type G711 } from './g711.ts';
import { createImpairer, type Impairments } from './impairments.ts';
import { Mouth } from './mouth.ts';
import { buildRtp } from './rtp-packet.ts';
import { type AudioDescription, type Direction, mirrored, readSdp, writeSdp } from './sdp.ts';
import { PhoneSrtp, type PhoneSrtpOptions } from './srtp.ts';
import { Tape } from './tape.ts';

export interface LineOptions {
  /** Address to bind and to name in SDP. */
  readonly host?: string;
  /** Offered, in order of preference. Default PCMU, PCMA. */
  readonly codecs?: readonly G711[];
  /** Payload type offered for RFC 4733. Default 101; false: not offered. */
  readonly telephoneEvent?: number | false;
  readonly impairments?: Impairments;
  readonly noiseDbfs?: number;
  readonly firstSequence?: number;
  readonly firstTimestamp?: number;
  readonly seed?: number;
  /** Encrypts, with keys in its SDP. */
  readonly srtp?: PhoneSrtpOptions;
  /** Keep both sides' audio for `tape`. */
  readonly record?: boolean;
  readonly onDigit?: (digit: string, at: Ms) => void;
  readonly onAudio?: (pcm: Int16Array, packet: HeardPacket) => void;
}

/** One RTP socket with a mouth and an ear, and the SDP that describes it. */
export class RtpLine {
  readonly ear: Ear;
  readonly mouth: Mouth;
  readonly tape: Tape | undefined;
  readonly srtp: PhoneSrtp | undefined;
  /** Datagrams that did not open. */
  unopened = 0;
  /** What the far end last said about its audio. */
  remote: AudioDescription | undefined;
  readonly #socket: Socket;
  readonly #options: LineOptions;
  readonly #impair: ReturnType<typeof createImpairer> | undefined;
  readonly #sessionId = Math.floor(Math.random() * 2 ** 31);
  #version = 0;
  #direction: Direction = 'sendrecv';
  #stranger: Socket | undefined;
  readonly #delayed = new Set<NodeJS.Timeout>();
  #closed = false;

  private constructor(socket: Socket, options: LineOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#impair = options.impairments ? createImpairer(options.impairments) : undefined;
    this.srtp = options.srtp && new PhoneSrtp(options.srtp);
    this.tape = options.record ? new Tape() : undefined;
    this.ear = new Ear({
      onDigit: options.onDigit,
      onAudio: (pcm, packet) => {
        this.tape?.heard(pcm, packet);
        options.onAudio?.(pcm, packet);
      },
    });
    this.mouth = new Mouth({
      send: (packet) => this.#send(packet),
      onFrame: (pcm, at) => this.tape?.sent(pcm, at),
      seed: options.seed,
      firstSequence: options.firstSequence,
      firstTimestamp: options.firstTimestamp,
      noiseDbfs: options.noiseDbfs,
    });
    if (options.telephoneEvent !== false) this.ear.telephoneEvent = options.telephoneEvent ?? 101;
    socket.on('message', (data) => {
      const packet = this.srtp ? this.srtp.open(data) : data;
      if (packet) this.ear.receive(packet, monotonicNow());
      else this.unopened++;
    });
    socket.on('error', () => {});
  }

  static async open(options: LineOptions = {}): Promise<RtpLine> {
    return new RtpLine(await bind(options.host ?? '127.0.0.1'), options);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Our offer, or our answer to what the far end last offered. */
  describe(kind: 'offer' | 'answer', direction = this.#direction): string {
    this.#direction = direction;
    const offered = this.#options.codecs ?? (['PCMU', 'PCMA'] as const);
    const ownEvent = this.#options.telephoneEvent === false ? undefined : (this.#options.telephoneEvent ?? 101);
    const remote = kind === 'answer' ? this.remote : undefined;
    const common = remote?.codecs.filter((codec) => offered.includes(codec)) ?? offered;
    this.#version++;
    const said: AudioDescription = {
      address: this.#options.host ?? '127.0.0.1',
      port: this.port,
      codecs: common.length > 0 ? common : offered,
      // An answer takes the offer's payload type (RFC 3264 section 6.1).
      telephoneEvent: remote ? (ownEvent === undefined ? undefined : remote.telephoneEvent) : ownEvent,
      direction: remote ? narrowest(direction, mirrored(remote.direction)) : direction,
      ...(this.srtp && { protocol: this.srtp.protocol, attributes: [this.srtp.line] }),
    };
    if (said.telephoneEvent !== undefined) this.ear.telephoneEvent = said.telephoneEvent;
    this.#applyDirection();
    return writeSdp(said, this.#sessionId, this.#version);
  }

  /** Takes the far end's SDP: where to send from now on, and how. Throws when there is no codec in common. */
  connect(sdp: string): void {
    const remote = readSdp(sdp);
    if (this.srtp && !this.srtp.connect(sdp)) throw new Error('the far end gave no key');
    const own = this.#options.codecs ?? (['PCMU', 'PCMA'] as const);
    const codec = remote.codecs.find((name) => own.includes(name));
    if (!codec) throw new Error('no codec in common');
    this.remote = remote;
    this.mouth.codec = codec;
    this.mouth.telephoneEvent = this.#options.telephoneEvent === false ? undefined : remote.telephoneEvent;
    this.#applyDirection();
  }

  tick(now: Ms, skipped: number): void {
    if (!this.#closed && this.remote) this.mouth.tick(now, skipped);
  }

  /** Sends bytes as they are to the far end's RTP port, e.g. RTCP or garbage. */
  sendRaw(data: Buffer): void {
    if (this.remote && !this.#closed) this.#socket.send(data, this.remote.port, this.remote.address);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.mouth.stop();
    for (const timer of this.#delayed) clearTimeout(timer);
    this.#socket.close();
    this.#stranger?.close();
  }

  #applyDirection(): void {
    const theirs = this.remote?.direction ?? 'sendrecv';
    const held = this.remote?.address === '0.0.0.0' || theirs === 'sendonly' || theirs === 'inactive';
    this.mouth.sending = !held && (this.#direction === 'sendrecv' || this.#direction === 'sendonly');
  }

  #send(packet: Buffer): void {
    const wire = this.srtp ? this.srtp.protect(packet) : packet;
    if (wire === undefined) return;
    if (!this.#impair) {
      this.sendRaw(wire);
      return;
    }
    const fate = this.#impair();
    if (fate.stray) this.#sendStray();
    for (const delay of fate.delaysMs) {
      if (delay <= 0) this.sendRaw(wire);
      else {
        const timer = setTimeout(() => {
          this.#delayed.delete(timer);
          this.sendRaw(wire);
        }, delay);
        this.#delayed.add(timer);
      }
    }
  }

  /** Loud audio from a port the far end has never seen: it must neither be played nor move its lock. */
  #sendStray(): void {
    const { remote } = this;
    if (!remote) return;
    this.#stranger ??= createSocket('udp4').on('error', () => {});
    const payload = encode(
      'PCMU',
      Int16Array.from({ length: 160 }, (_, i) => (i % 8 < 4 ? 16000 : -16000)),
    );
    const stray = buildRtp({ payloadType: 0, marker: true, sequence: 1, timestamp: 1, ssrc: 0xbadbad, payload });
    this.#stranger.send(stray, remote.port, remote.address);
  }
}

function narrowest(ours: Direction, allowed: Direction): Direction {
  const sends = (d: Direction) => d === 'sendrecv' || d === 'sendonly';
  const receives = (d: Direction) => d === 'sendrecv' || d === 'recvonly';
  const send = sends(ours) && sends(allowed);
  const receive = receives(ours) && receives(allowed);
  return send ? (receive ? 'sendrecv' : 'sendonly') : receive ? 'recvonly' : 'inactive';
}

/** RTP wants an even port (RFC 3550 section 11); a few tries find one. */
async function bind(host: string): Promise<Socket> {
  for (let attempt = 0; ; attempt++) {
    const socket = createSocket({ type: isIP(host) === 6 ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, host, resolve);
    });
    if (socket.address().port % 2 === 0 || attempt >= 10) return socket;
    socket.close();
  }
}

import { isIP } from 'node:net';
import type { Clock, Ms } from '../core/clock.ts';
import type { Continuity } from './continuity.ts';
import type { InboundAudio } from './inbound-audio.ts';
import { bindPair, closed, type OnDatagram, reachable, type SocketPair } from './media-sockets.ts';
import type { OutboundAudio } from './outbound-audio.ts';
import type { RemoteAudio } from './ports.ts';
import { RtcpLine } from './rtcp-line.ts';
import { isRtcp } from './rtcp-packet.ts';
import { SrtpLine } from './srtp/srtp-line.ts';

export interface MediaLineOptions {
  clock: Clock;
  inbound: InboundAudio;
  outbound: OutboundAudio;
  /** Where another worker may have left the indexes of SRTP. */
  continuity: Continuity;
  /** The worker gets on with its work, if slowly. */
  alive(): void;
  /** What a datagram did is this call's fault, not the worker's. */
  failed(error: unknown): void;
  warn(message: string): void;
}

/** One call's sockets: what arrives goes to RTP or RTCP, what leaves goes where the peer really is. */
export class MediaLine {
  readonly rtcp: RtcpLine;
  readonly srtp = new SrtpLine();
  readonly #options: MediaLineOptions;
  #sockets: SocketPair | undefined;
  #ownAddress = '';
  #remote: RemoteAudio | undefined;
  #toAddress = '';
  #toPort = 0;
  #sendErrors = 0;

  constructor(options: MediaLineOptions) {
    this.#options = options;
    const { clock, inbound, outbound } = options;
    this.rtcp = new RtcpLine({
      ssrc: outbound.position.ssrc,
      now: clock.now(),
      wallMs: clock.wall().getTime(),
      source: inbound.source,
      reception: inbound.jitter.reception,
      srtp: this.srtp,
    });
  }

  /** Binds the sockets; resolves with RTP's port. Rejects with the system's error, e.g. EADDRINUSE. */
  async bind(address: string, port: number): Promise<number> {
    const { clock, inbound, outbound } = this.#options;
    const onRtcp: OnDatagram = (data, from, fromPort) => {
      const now = clock.now();
      // A phone that suppresses silence may send nothing else for a long while: it is still there.
      if (this.rtcp.receive(data, from, fromPort, now, outbound.stream)) inbound.signOfLife(now);
    };
    const onRtp: OnDatagram = (data, from, fromPort) => {
      if (isRtcp(data)) onRtcp(data, from, fromPort);
      else this.#takeRtp(data, from, fromPort, clock.now());
    };
    const sockets = await bindPair(address, port, this.#guarded(onRtp), this.#guarded(onRtcp));
    for (const socket of [sockets.rtp, sockets.rtcp]) socket.on('error', (error) => this.#onError(error));
    this.#sockets = sockets;
    this.#ownAddress = address;
    this.rtcp.open(sockets.rtp, sockets.rtcp);
    return sockets.rtp.address().port;
  }

  /** What was negotiated, and again; the two directions know of it already. */
  connect(remote: RemoteAudio): void {
    this.#remote = remote;
    if (remote.security) this.srtp.use(remote.security.keys, this.#options.continuity.srtp);
    this.rtcp.connect(remote, this.#options.outbound.clockRate);
    this.aim();
  }

  /** Decides where packets go: to the locked source, before that to where the peer said. */
  aim(): void {
    const { source } = this.#options.inbound;
    const { address, port } = source.locked ? source : (this.#remote ?? { address: '', port: 0 });
    // Hold by null address, or a name instead of a number: wait until the peer has shown where it is.
    const known = isIP(address) !== 0 && address !== '0.0.0.0';
    this.#toAddress = known ? reachable(address, this.#ownAddress) : '';
    this.#toPort = known ? port : 0;
  }

  send(packet: Uint8Array): void {
    if (this.#toPort === 0) return;
    const sent = this.srtp.protectRtp(packet);
    if (sent) this.#sockets?.rtp.send(sent, 0, sent.length, this.#toPort, this.#toAddress);
  }

  /** Call it now and then. */
  watch(now: Ms): void {
    this.rtcp.watch(now, this.#options.outbound.stream);
  }

  /** Says goodbye and frees the ports. Idempotent. */
  async close(): Promise<void> {
    const sockets = this.#sockets;
    this.#sockets = undefined;
    if (sockets === undefined) return;
    await this.rtcp.leave(this.#options.clock.now(), this.#options.outbound.stream);
    await Promise.all([closed(sockets.rtp), closed(sockets.rtcp)]);
  }

  #takeRtp(data: Uint8Array, from: string, fromPort: number, now: Ms): void {
    const { inbound } = this.#options;
    // A flood from elsewhere is not worth a look at its tags.
    const possible = !this.srtp.required || inbound.source.possible(from, fromPort, now);
    const packet = possible ? this.srtp.openRtp(data) : undefined;
    if (packet) inbound.datagram(packet, from, fromPort, now);
    else inbound.refused++;
  }

  #guarded(take: OnDatagram): OnDatagram {
    const { alive, failed } = this.#options;
    return (data, from, fromPort) => {
      alive();
      try {
        take(data, from, fromPort);
      } catch (error) {
        failed(error);
      }
    };
  }

  #onError(error: Error): void {
    if (this.#sendErrors++ === 0) this.#options.warn(`RTP cannot be sent: ${error.message}`);
  }
}

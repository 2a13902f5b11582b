import { isIP } from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { Clock, Ms } from '../../core/clock.ts';
import { isOneHost } from '../../core/ip-address.ts';
import { IceLite } from '../ice/ice-lite.ts';
import { isStun } from '../ice/stun.ts';
import type { InboundAudio } from '../inbound/inbound-audio.ts';
import type { OutboundAudio } from '../outbound/outbound-audio.ts';
import type { RemoteAudio } from '../ports.ts';
import { type SrtpKeys, SrtpLine } from '../srtp/srtp-line.ts';
import type { Continuity } from '../workers/continuity.ts';
import { voipMetrics } from './call-quality.ts';
import { bindPair, closed, type OnDatagram, reachable, type SocketPair } from './media-sockets.ts';
import { PacketBuffers } from './packet-buffers.ts';
import { RtcpLine } from './rtcp-line.ts';
import { isRtcp } from './rtcp-packet.ts';
import type { VoipMetrics } from './rtcp-xr.ts';
import type { SystemSocket, SystemUdp } from './system-sockets.ts';

const MAX_DTLS_BYTES = 2048;
/** Of RTP that we send: the longest of a codec, and what SRTP adds. */
const LONGEST_PACKET = 2048;
/** Between two agreements on keys: a handshake has some twenty, with repetitions fewer than this; the rest is a flood. */
const MOST_DTLS_DATAGRAMS = 400;

export interface MediaLineOptions {
  clock: Clock;
  inbound: InboundAudio;
  outbound: OutboundAudio;
  /** Where another worker may have left the indexes of SRTP. */
  continuity: Continuity;
  /** Undefined: packets go dgram's way. */
  udp: SystemUdp | undefined;
  dtls(data: Uint8Array, address: string, port: number): void;
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
  #ice: IceLite | undefined;
  /** Our first message of DTLS, while the peer has not shown yet where it is: it would come again a second later only. */
  #held: Uint8Array | undefined;
  #iceOf = '';
  #dtlsDatagrams = 0;
  readonly #options: MediaLineOptions;
  #sockets: SocketPair | undefined;
  /** RTP's, where the system's own calls serve it. */
  #direct: SystemSocket | undefined;
  /** Packets on their way out by dgram. */
  #leaving: PacketBuffers | undefined;
  #onRtp: OnDatagram = () => undefined;
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
      metrics: () => this.#metrics(),
      srtp: this.srtp,
    });
  }

  /** Binds the sockets; resolves with RTP's port. Rejects with the system's error, e.g. EADDRINUSE. */
  async bind(address: string, port: number): Promise<number> {
    const { inbound, outbound, udp } = this.#options;
    const onRtcp: OnDatagram = (data, from, fromPort, now) => {
      // A phone that suppresses silence may send nothing else for a long while: it is still there.
      if (this.rtcp.receive(data, from, fromPort, now, outbound.stream)) inbound.signOfLife(now);
    };
    const onRtp: OnDatagram = (data, from, fromPort, now) => {
      // RFC 7983: the first byte tells what shares the port.
      if (isRtcp(data)) onRtcp(data, from, fromPort, now);
      else if (isStun(data)) this.#takeStun(data, from, fromPort, now);
      else if (data[0]! >= 20 && data[0]! < 64) this.#takeDtls(data, from, fromPort);
      else this.#takeRtp(data, from, fromPort, now);
    };
    this.#onRtp = this.#guarded(onRtp);
    const sockets = await bindPair(address, port, this.#onRtp, this.#guarded(onRtcp));
    for (const socket of [sockets.rtp, sockets.rtcp]) socket.on('error', (error) => this.#onError(error));
    this.#sockets = sockets;
    this.#direct = udp?.open(sockets.rtp);
    this.#ownAddress = address;
    this.rtcp.open(sockets.rtp, sockets.rtcp, udp && (() => udp.open(sockets.rtcp, 'sends')));
    return sockets.rtp.address().port;
  }

  /** What was negotiated, and again; the two directions know of it already. */
  connect(remote: RemoteAudio): void {
    this.#remote = remote;
    const { security, ice } = remote;
    const renewed = ice !== undefined && this.#iceOf !== JSON.stringify(ice);
    // What DTLS had ready for whom we spoke with before is for nobody else.
    if (renewed || security?.by !== 'dtls') this.#held = undefined;
    if (security?.by === 'sdes') this.srtp.use(security.keys, this.#options.continuity.srtp);
    else if (security) this.srtp.require();
    if (renewed) {
      // Another pair of names is another ICE session (RFC 8445 section 9): the peer chooses anew.
      this.#ice = new IceLite(ice);
      this.#iceOf = JSON.stringify(ice);
      this.#dtlsDatagrams = 0;
    }
    this.rtcp.connect(remote, this.#options.outbound.clockRate);
    this.aim();
  }

  /** What DTLS has agreed on. */
  key(keys: SrtpKeys): void {
    this.srtp.use(keys, this.#options.continuity.srtp);
    this.#dtlsDatagrams = 0;
  }

  /** Sends as it is; behind ICE to where the peer has proved to be, as soon as it has. */
  sendDatagram(data: Uint8Array, to?: { address: string; port: number }): void {
    const nominated = this.#ice?.nominated;
    const { address, port } = to ?? nominated ?? { address: this.#toAddress, port: this.#toPort };
    if (this.#ice && !this.#ice.isChecked(address, port)) this.#held = data;
    else if (port !== 0) this.#sockets?.rtp.send(data, 0, data.length, port, reachable(address, this.#ownAddress));
  }

  /** Decides where packets go: to the locked source, before that to where the peer said. */
  aim(): void {
    const { source } = this.#options.inbound;
    const { address, port } = source.locked ? source : (this.#remote ?? { address: '', port: 0 });
    // Hold by null address, a name instead of a number, a group of hosts: wait until the peer has shown where it is.
    const known = isOneHost(address);
    this.#toAddress = known ? reachable(address, this.#ownAddress) : '';
    this.#toPort = known ? port : 0;
    // An address of the other family is refused with port 0, as by dgram: that is told.
    if (known) this.#direct?.aim(...(isIP(address) === 4 ? ([address, port] as const) : (['0.0.0.0', 0] as const)));
  }

  /** Takes what has arrived at the RTP port, at most so many datagrams. Where dgram tells of them there is nothing to do. */
  receive(most: number): void {
    this.#direct?.receive(most, this.#onRtp);
  }

  send(packet: Uint8Array): void {
    if (this.#toPort === 0) return;
    const sent = this.srtp.protectRtp(packet);
    if (sent === undefined) return;
    if (this.#direct) {
      const errno = this.#direct.send(sent);
      if (errno !== 0) this.#onError(new Error(getSystemErrorName(-errno)));
    }
    // Without offset and length, which would make another view of the packet.
    else this.#sockets?.rtp.send(this.#kept(sent), this.#toPort, this.#toAddress);
  }

  /** Call it now and then. */
  watch(now: Ms): void {
    this.rtcp.watch(now, this.#options.outbound.stream);
  }

  /** Says goodbye, unless the stream goes on elsewhere, and frees the ports. Idempotent. */
  async close(moving = false): Promise<void> {
    const sockets = this.#sockets;
    this.#sockets = undefined;
    this.#direct?.close();
    if (sockets === undefined) return;
    if (!moving) await this.rtcp.leave(this.#options.clock.now(), this.#options.outbound.stream);
    this.rtcp.close();
    await Promise.all([closed(sockets.rtp), closed(sockets.rtcp)]);
  }

  /** A copy that dgram may read a while later. */
  #kept(packet: Uint8Array): Uint8Array {
    this.#leaving ??= new PacketBuffers(LONGEST_PACKET);
    this.#leaving.next.set(packet);
    return this.#leaving.take(packet.length);
  }

  #metrics(): VoipMetrics {
    const { codec, ptimeMs } = this.#remote!;
    return voipMetrics(this.#options.inbound.jitter, codec, ptimeMs, this.rtcp.session.roundTripMs);
  }

  #takeStun(data: Uint8Array, from: string, fromPort: number, now: Ms): void {
    const { inbound } = this.#options;
    const { reply, passed, nominated } = this.#ice?.receive(data, from, fromPort, now) ?? {};
    if (passed) inbound.signOfLife(now);
    if (reply === undefined) inbound.refused++;
    else this.#sockets?.rtp.send(reply, 0, reply.length, fromPort, from);
    if (!nominated) return;
    inbound.source.nominate(from, fromPort);
    this.aim();
    const held = this.#held;
    this.#held = undefined;
    if (held) this.sendDatagram(held);
  }

  #takeDtls(data: Uint8Array, from: string, fromPort: number): void {
    const { inbound, dtls } = this.#options;
    const expected = this.#remote?.security?.by === 'dtls' && (this.#ice?.isChecked(from, fromPort) ?? true);
    if (expected && data.length <= MAX_DTLS_BYTES && ++this.#dtlsDatagrams <= MOST_DTLS_DATAGRAMS) {
      // A copy: what it lies in holds other calls' packets, and would be sent along.
      dtls(data.slice(), from, fromPort);
    } else inbound.refused++;
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
    return (data, from, fromPort, at) => {
      alive();
      try {
        take(data, from, fromPort, at);
      } catch (error) {
        failed(error);
      }
    };
  }

  #onError(error: Error): void {
    if (this.#sendErrors++ === 0) this.#options.warn(`RTP cannot be sent: ${error.message}`);
  }
}

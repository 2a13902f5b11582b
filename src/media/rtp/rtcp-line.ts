import { hash } from 'node:crypto';
import type { Socket } from 'node:dgram';
import { isIP } from 'node:net';
import type { Ms } from '../../core/clock.ts';
import { isOneHost } from '../../core/ip-address.ts';
import type { RemoteAudio } from '../ports.ts';
import type { SrtpLine } from '../srtp/srtp-line.ts';
import { reachable } from './media-sockets.ts';
import { RtcpSession, type SentStream } from './rtcp-session.ts';
import type { VoipMetrics } from './rtcp-xr.ts';
import type { RtpReception } from './rtp-reception.ts';
import type { SymmetricSource } from './symmetric-source.ts';
import type { SystemSocket } from './system-sockets.ts';

/** Larger datagrams are no reports on one stream. */
const MAX_BYTES = 1500;

export interface RtcpLineOptions {
  ssrc: number;
  now: Ms;
  wallMs: number;
  /** Where RTP really comes from. */
  source: SymmetricSource;
  reception: RtpReception;
  /** What we measured of the caller's stream, for a peer that wants to know. */
  metrics(): VoipMetrics;
  srtp: SrtpLine;
}

/** The RTCP of one call on the wire: on the port above RTP's, or on RTP's own when both sides agreed (RFC 5761). */
export class RtcpLine {
  readonly session: RtcpSession;
  refused = 0;
  readonly #options: RtcpLineOptions;
  #rtp: Socket | undefined;
  #own: Socket | undefined;
  /** How reports leave by #own where the system's own calls are to be had; made with the first one. */
  #openDirect: (() => SystemSocket | undefined) | undefined;
  #direct: SystemSocket | undefined;
  #remote: RemoteAudio['rtcp'];
  #clockRate = 8000;
  /** Where reports came from, behind whatever NAT (RFC 4961 section 4). */
  #from: { address: string; port: number } | undefined;

  constructor(options: RtcpLineOptions) {
    this.#options = options;
    // A name of the call's own, which a worker that goes on in this one's place finds again (RFC 7022 section 4.2).
    const cname = hash('sha256', `${options.ssrc}`, 'base64').slice(0, 16);
    this.session = new RtcpSession({ cname, now: options.now, wallMs: options.wallMs });
  }

  open(rtp: Socket, own: Socket, openDirect?: () => SystemSocket | undefined): void {
    this.#rtp = rtp;
    this.#own = own;
    this.#openDirect = openDirect;
  }

  /** The sockets are about to be closed: nothing is sent any more. */
  close(): void {
    this.#direct?.close();
    this.#openDirect = undefined;
    this.#rtp = undefined;
    this.#own = undefined;
  }

  connect(remote: RemoteAudio, clockRate: number): void {
    const before = this.#remote;
    this.#remote = remote.rtcp;
    this.#clockRate = clockRate;
    if (before?.port !== remote.rtcp?.port || before?.address !== remote.rtcp?.address) this.#from = undefined;
  }

  /** A datagram to the RTCP port, or one on the RTP port that is RTCP. Only the host that RTP comes from is heard: true. */
  receive(data: Uint8Array, address: string, port: number, now: Ms, sent: SentStream): boolean {
    const { source } = this.#options;
    const host = source.locked ? source.address : this.#remote?.address;
    const known = this.#remote !== undefined && address === host && data.length <= MAX_BYTES;
    const packet = known ? this.#options.srtp.openRtcp(data) : undefined;
    if (packet === undefined || !this.session.receive(packet, now, sent, this.#clockRate)) {
      this.refused++;
      return false;
    }
    this.#from = { address, port };
    return true;
  }

  /** Call it now and then: sends a report when one is due. */
  watch(now: Ms, sent: SentStream): void {
    if (this.#remote === undefined || !this.session.due(now)) return;
    this.#send(this.#report(now, sent));
  }

  /** Says goodbye; resolves when it has left. */
  leave(now: Ms, sent: SentStream): Promise<void> {
    if (this.#remote === undefined || sent.packets === 0) return Promise.resolve();
    return this.#send(this.#report(now, sent, true));
  }

  #report(now: Ms, sent: SentStream, goodbye = false): Uint8Array {
    const { reception, metrics } = this.#options;
    const wanted = this.#remote?.voipMetrics && reception.received > 0;
    const voipMetrics = wanted ? metrics() : undefined;
    return this.session.report(now, sent, reception, this.#clockRate, { goodbye, voipMetrics });
  }

  #send(report: Uint8Array): Promise<void> {
    const packet = this.#options.srtp.protectRtcp(report);
    if (packet === undefined) return Promise.resolve();
    const remote = this.#remote!;
    const { source } = this.#options;
    const socket = remote.mux ? this.#rtp : this.#own;
    // Without reports yet: the announced port, at the host that RTP comes from.
    const rtp = source.locked ? source : undefined;
    const address = (remote.mux ? rtp?.address : (this.#from?.address ?? rtp?.address)) ?? remote.address;
    const port = (remote.mux ? rtp?.port : this.#from?.port) ?? remote.port;
    if (socket === undefined || !isOneHost(address) || port < 1 || port > 65_535) {
      return Promise.resolve();
    }
    if (!remote.mux) {
      this.#direct ??= this.#openDirect?.();
      this.#openDirect = undefined;
      if (this.#direct !== undefined && isIP(address) === 4) {
        // A report that cannot leave now is followed by another.
        this.#direct.aim(address, port);
        this.#direct.send(packet);
        return Promise.resolve();
      }
    }
    const to = reachable(address, socket.address().address);
    return new Promise((resolve) => socket.send(packet, port, to, () => resolve()));
  }
}

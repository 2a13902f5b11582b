import { randomBytes, X509Certificate } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { CipherContext, DtlsClient, DtlsServer, RtpHeader, RtpPacket, SrtpSession } from 'werift';
import { type Fingerprint, fingerprintOf } from '../../src/media/dtls/fingerprint.ts';
import type { IceCredentials } from '../../src/media/ice/ice-lite.ts';
import { ATTRIBUTE, BINDING_REQUEST, buildStun } from '../../src/media/ice/stun.ts';
import type { SrtpKeys } from '../../src/media/srtp/srtp-line.ts';
import { datagram } from './support.ts';

const KEY_BYTES = 16;

/** The far end of an encrypted call on a real socket: SRTP and DTLS by werift, which shares no code with ours. */
export class SecurePeer {
  /** What opened, in the order of arrival. */
  readonly received: RtpPacket[] = [];
  /** What did not. */
  unopened = 0;
  /** Messages of DTLS. */
  handshakes = 0;
  /** Every datagram we sent, as it travelled. */
  readonly sent: Buffer[] = [];
  sequence = 65_500;
  readonly #socket: Socket;
  #srtp: SrtpSession | undefined;
  #dtls: { onData(data: Buffer): void } | undefined;
  #target = 0;
  #hungUp = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#take(data));
  }

  static async open(): Promise<SecurePeer> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new SecurePeer(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  callTo(port: number): void {
    this.#target = port;
  }

  /** A handshake that is not over goes on repeating itself, unheard. */
  close(): void {
    this.#hungUp = true;
    this.#socket.close();
  }

  /** `keys` as the other side has them. */
  takeKeys({ send, receive }: SrtpKeys): void {
    const part = (master: Uint8Array, salt: boolean) =>
      Buffer.from(salt ? master.subarray(KEY_BYTES) : master.subarray(0, KEY_BYTES));
    this.#srtp = new SrtpSession({
      keys: {
        localMasterKey: part(receive.master, false),
        localMasterSalt: part(receive.master, true),
        remoteMasterKey: part(send.master, false),
        remoteMasterSalt: part(send.master, true),
      },
      profile: 1,
    });
  }

  /** Shakes hands; resolves once there are keys. `prepare` gets our fingerprint, for the description. */
  async shakeHands(
    prepare: (fingerprint: Fingerprint) => void | Promise<void>,
    as: 'client' | 'server' = 'client',
  ): Promise<void> {
    const made = await CipherContext.createSelfSignedCertificateWithKey({ signature: 3, hash: 4 }, 23);
    const { certPem: cert, keyPem: key, signatureHash } = made;
    const fingerprint = fingerprintOf(new X509Certificate(cert).raw);
    if (as === 'client') await prepare(fingerprint);
    const transport = {
      type: 'udp',
      address: { address: '', port: 0, family: '' },
      closed: false,
      onData: (_data: Buffer): void => undefined,
      send: async (data: Buffer) => this.sendRaw(data),
      close: async () => undefined,
    };
    this.#dtls = transport;
    const options = { cert, key, signatureHash, transport, srtpProfiles: [1 as const], extendedMasterSecret: true };
    const side = as === 'client' ? new DtlsClient(options) : new DtlsServer({ ...options, certificateRequest: true });
    const connected = new Promise<void>((resolve) => side.onConnect.once(() => resolve()));
    if (as === 'server') await prepare(fingerprint);
    if (side instanceof DtlsClient) await side.connect().catch(() => undefined);
    await connected;
    const { localKey, localSalt, remoteKey, remoteSalt } = side.extractSessionKeys(16, 14);
    this.#srtp = new SrtpSession({
      keys: {
        localMasterKey: localKey,
        localMasterSalt: localSalt,
        remoteMasterKey: remoteKey,
        remoteMasterSalt: remoteSalt,
      },
      profile: 1,
    });
  }

  /** A connectivity check of ICE that nominates this pair. */
  nominate({ localUfrag, localPassword, remoteUfrag }: IceCredentials): void {
    const attributes: [number, Buffer][] = [
      [ATTRIBUTE.USERNAME, Buffer.from(`${localUfrag}:${remoteUfrag}`)],
      [ATTRIBUTE.PRIORITY, Buffer.from([1, 2, 3, 4])],
      [ATTRIBUTE.ICE_CONTROLLING, randomBytes(8)],
      [ATTRIBUTE.USE_CANDIDATE, Buffer.alloc(0)],
    ];
    this.sendRaw(buildStun(BINDING_REQUEST, randomBytes(12), attributes, localPassword));
  }

  /** One packet of 20 ms. */
  speak(payload: Uint8Array = new Uint8Array(160).fill(0x55)): void {
    const sequence = this.sequence++;
    const packet = Buffer.from(datagram({ sequence, payload }));
    const { header, payload: body } = RtpPacket.deSerialize(packet);
    const wire = this.#srtp?.encrypt(body, new RtpHeader({ ...header }));
    if (wire) this.sendRaw(wire);
  }

  sendRaw(data: Uint8Array): void {
    if (this.#hungUp) return;
    const copy = Buffer.from(data);
    this.sent.push(copy);
    this.#socket.send(copy, this.#target, '127.0.0.1');
  }

  #take(data: Buffer): void {
    const first = data[0]!;
    if (first >= 20 && first < 64) {
      this.handshakes++;
      this.#dtls?.onData(Buffer.from(data));
    }
    if (first < 128 || (data[1]! >= 192 && data[1]! <= 223)) return;
    try {
      const packet = this.#srtp?.decrypt(data);
      if (packet) this.received.push(RtpPacket.deSerialize(packet));
      else this.unopened++;
    } catch {
      this.unopened++;
    }
  }
}

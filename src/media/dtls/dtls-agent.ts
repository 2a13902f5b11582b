import { asFailure, Failure } from '../../core/errors.ts';
import type { SrtpProfileName } from '../srtp/profiles.ts';
import { srtpProfile } from '../srtp/profiles.ts';
import type { SrtpKeys } from '../srtp/srtp-line.ts';
import { type Fingerprint, isAnnounced } from './fingerprint.ts';
import { DTLS_PROFILES, type DtlsHandshakes, type DtlsIdentity, type DtlsSocket } from './identity.ts';
import {
  clientFinished,
  clientOwnsCertificate,
  FINISHED,
  serverFinished,
  serverOwnsCertificate,
} from './peer-proof.ts';

/** Where a datagram came from, and goes to. */
export interface DtlsSource {
  address: string;
  port: number;
}

export interface DtlsAgentOptions {
  identity: DtlsIdentity;
  /** Ours (RFC 4145). */
  role: 'active' | 'passive';
  /** The peer's certificates, from its SDP. */
  fingerprints: readonly Fingerprint[];
  /** Where the peer is for sure: a handshake that fails there is the peer's. Elsewhere anybody may have begun it. */
  isPeer(from: DtlsSource): boolean;
  /** Undefined: to wherever the peer is. */
  send(data: Uint8Array, to: DtlsSource | undefined): void;
  /** Once. */
  keyed(keys: SrtpKeys): void;
  /** Once, instead. */
  failed(failure: Failure): void;
}

/** Handshakes with different places at once: anybody may send a first message, only the peer can finish. */
const MOST_HANDSHAKES = 4;
/** Datagrams of one handshake, with all that is repeated. */
const MOST_DATAGRAMS = 100;
/** Datagrams that may come before we can shake hands; a peer sends further ones again. */
const MOST_EARLY = 16;
/** Of the peer's first message, until keys are there. */
const WITHIN_MS = 15_000;
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const KEY_LABEL = 'EXTRACTOR-dtls_srtp';

interface Handshake {
  socket: DtlsSocket;
  datagrams: number;
  deliver(data: Buffer): void;
  close(): void;
}

/**
 * Agrees on SRTP keys by DTLS (RFC 5763, RFC 5764): only with who proves to have the key of a certificate that the peer
 * announced. Works on the main thread: a handshake takes some milliseconds that no call's audio shall wait for, and outlives
 * the worker.
 */
export class DtlsAgent {
  readonly #options: DtlsAgentOptions;
  readonly #handshakes = new Map<string, Handshake>();
  readonly #deadline: NodeJS.Timeout;
  #hands: DtlsHandshakes | undefined;
  #early: { data: Uint8Array; from: DtlsSource }[] = [];
  #state: 'shaking-hands' | 'keyed' | 'closed' = 'shaking-hands';
  #lastFault = 'no DTLS handshake came about';

  constructor(options: DtlsAgentOptions) {
    this.#options = options;
    this.#deadline = setTimeout(() => this.#giveUp(), WITHIN_MS);
    this.#deadline.unref();
    options.identity
      .handshakes()
      .then((hands) => this.#begin(hands))
      .catch((error: unknown) => this.#fault(asFailure(error).message, undefined));
  }

  /** A datagram of DTLS. */
  receive(data: Uint8Array, from: DtlsSource): void {
    if (this.#state === 'closed') return;
    if (this.#hands === undefined) {
      if (this.#early.length < MOST_EARLY) this.#early.push({ data: Uint8Array.from(data), from });
      return;
    }
    const { role } = this.#options;
    const key = role === 'active' ? '' : keyOf(from);
    const first = data[0] === HANDSHAKE_RECORD && data[13] === CLIENT_HELLO;
    let handshake = this.#handshakes.get(key);
    // Keys are agreed: another handshake is another session description's matter.
    if (first && this.#state === 'keyed') return;
    if (handshake === undefined) {
      if (role === 'active' || !first || this.#handshakes.size >= MOST_HANDSHAKES) return;
      handshake = this.#open(this.#hands, 'passive', from);
      this.#handshakes.set(key, handshake);
    }
    if (++handshake.datagrams > MOST_DATAGRAMS) return;
    handshake.deliver(Buffer.from(data));
  }

  /** Idempotent. */
  close(): void {
    this.#state = 'closed';
    clearTimeout(this.#deadline);
    for (const handshake of this.#handshakes.values()) handshake.close();
    this.#handshakes.clear();
    this.#early = [];
  }

  #begin(hands: DtlsHandshakes): void {
    if (this.#state === 'closed') return;
    this.#hands = hands;
    if (this.#options.role === 'active') {
      const handshake = this.#open(hands, 'active', undefined);
      this.#handshakes.set('', handshake);
      const { socket } = handshake;
      if ('connect' in socket) {
        socket.connect().catch((error: unknown) => this.#fault(asFailure(error).message, undefined));
      }
    }
    for (const { data, from } of this.#early.splice(0)) this.receive(data, from);
  }

  #open(hands: DtlsHandshakes, role: 'active' | 'passive', to: DtlsSource | undefined): Handshake {
    let closed = false;
    const transport = {
      type: 'udp',
      address: { address: '', port: 0, family: '' },
      closed: false,
      onData: (_data: Buffer): void => undefined,
      send: async (data: Buffer) => {
        if (!closed) this.#options.send(data, to);
      },
      close: async () => undefined,
    };
    const socket = hands.open(role, transport);
    if (role === 'active') this.#watchFinished(socket);
    socket.onConnect.once(() => this.#connected(role, socket, to));
    socket.onError.subscribe((error) => this.#fault(error.message, to));
    return {
      socket,
      datagrams: 0,
      deliver: (data) => {
        try {
          transport.onData(data);
        } catch {
          // What does not end where a record does cannot be cut into records: none of it is taken.
        }
      },
      close: () => {
        closed = true;
      },
    };
  }

  /** The server's Finished is checked as it comes: afterwards nothing of it is left to look at. */
  #watchFinished(client: DtlsSocket): void {
    const take = client.onHandleHandshakes;
    client.onHandleHandshakes = async (messages) => {
      const finished = messages.find(({ msg_type: type }) => type === FINISHED);
      if (finished && !serverFinished(client, finished.fragment)) throw new Error('the Finished of the peer is wrong');
      await take(messages);
    };
  }

  #connected(role: 'active' | 'passive', socket: DtlsSocket, from: DtlsSource | undefined): void {
    if (this.#state !== 'shaking-hands') return;
    const certificate = socket.remoteCertificate;
    const profile = DTLS_PROFILES.find((name) => srtpProfile(name).dtlsId === socket.srtp.srtpProfile);
    if (certificate === undefined) this.#fault('the peer showed no certificate', from);
    else if (!isAnnounced(certificate, this.#options.fingerprints)) {
      this.#fault('the certificate of the peer is not the one in its session description', from);
    } else if (!proves(role, socket, certificate)) {
      this.#fault('the peer does not have the key of its certificate', from);
    } else if (profile === undefined) this.#fault('no SRTP profile in common', from);
    else {
      this.#state = 'keyed';
      clearTimeout(this.#deadline);
      this.#options.keyed(keysOf(role, socket, profile));
    }
  }

  #fault(message: string, from: DtlsSource | undefined): void {
    if (this.#state !== 'shaking-hands') return;
    this.#lastFault = message;
    if (from === undefined || this.#options.isPeer(from)) {
      this.#giveUp();
      return;
    }
    const key = keyOf(from);
    this.#handshakes.get(key)?.close();
    this.#handshakes.delete(key);
  }

  #giveUp(): void {
    if (this.#state !== 'shaking-hands') return;
    this.close();
    this.#options.failed(new Failure(this.#lastFault, { code: 'dtls-failed', blame: 'caller', sipStatus: 488 }));
  }
}

function keyOf({ address, port }: DtlsSource): string {
  return `${address}:${port}`;
}

function proves(role: 'active' | 'passive', socket: DtlsSocket, certificate: Buffer): boolean {
  return role === 'active'
    ? serverOwnsCertificate(socket, certificate)
    : clientOwnsCertificate(socket, certificate) && clientFinished(socket);
}

/** RFC 5764 section 4.2: the client's key, the server's, the client's salt, the server's. */
function keysOf(role: 'active' | 'passive', socket: DtlsSocket, profile: SrtpProfileName): SrtpKeys {
  const { keyBytes, saltBytes } = srtpProfile(profile);
  const material = new Uint8Array(socket.exportKeyingMaterial(KEY_LABEL, 2 * (keyBytes + saltBytes)));
  const part = (at: number, length: number) => material.subarray(at, at + length);
  const side = (which: 0 | 1) => ({
    profile,
    master: Uint8Array.from([
      ...part(which * keyBytes, keyBytes),
      ...part(2 * keyBytes + which * saltBytes, saltBytes),
    ]),
  });
  const [client, server] = [side(0), side(1)];
  return role === 'active' ? { send: client, receive: server } : { send: server, receive: client };
}

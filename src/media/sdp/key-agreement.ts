import type { Failure } from '../../core/errors.ts';
import { DtlsAgent, type DtlsSource } from '../dtls/dtls-agent.ts';
import type { DtlsIdentity } from '../dtls/identity.ts';
import type { RemoteAudio } from '../ports.ts';
import type { SrtpKeys } from '../srtp/srtp-line.ts';
import type { SessionTell } from '../workers/session-line.ts';

/**
 * Keys of one session that the media agree on themselves: DTLS on the main thread, through the worker's socket. What was
 * agreed outlives a worker.
 */
export class KeyAgreement {
  readonly #identity: DtlsIdentity | undefined;
  readonly #tell: (request: SessionTell) => void;
  readonly #failed: (failure: Failure) => void;
  #remote: RemoteAudio | undefined;
  #agent: DtlsAgent | undefined;
  /** What the running agreement was made for. */
  #terms = '';
  #keys: SrtpKeys | undefined;

  constructor(
    identity: DtlsIdentity | undefined,
    tell: (request: SessionTell) => void,
    failed: (failure: Failure) => void,
  ) {
    this.#identity = identity;
    this.#tell = tell;
    this.#failed = failed;
  }

  /** What was negotiated, and again: a handshake begins when the peer's certificates are new ones (RFC 5763 section 6.6). */
  connect(remote: RemoteAudio): void {
    this.#remote = remote;
    const { security } = remote;
    if (security?.by !== 'dtls' || this.#identity === undefined) return;
    const { role, fingerprints } = security;
    const terms = JSON.stringify([role, fingerprints]);
    if (terms === this.#terms) return;
    this.#terms = terms;
    this.#agent?.close();
    this.#keys = undefined;
    this.#agent = new DtlsAgent({
      identity: this.#identity,
      role,
      fingerprints,
      // Behind ICE the worker passes on only what comes from where the peer has proved to be.
      isPeer: ({ address, port }) =>
        this.#remote?.ice !== undefined || (address === this.#remote?.address && port === this.#remote.port),
      send: (data, to) => this.#tell({ type: 'send', data, to }),
      keyed: (keys) => {
        this.#keys = keys;
        this.#tell({ type: 'keys', keys });
      },
      failed: this.#failed,
    });
  }

  receive(data: Uint8Array, from: DtlsSource): void {
    this.#agent?.receive(data, from);
  }

  /** Another worker goes on: it has the description already. */
  restore(): void {
    if (this.#keys) this.#tell({ type: 'keys', keys: this.#keys });
  }

  /** Idempotent. */
  close(): void {
    this.#agent?.close();
  }
}

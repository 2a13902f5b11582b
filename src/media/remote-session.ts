import type { MessagePort } from 'node:worker_threads';
import type { CallId, TurnId } from '../core/ids.ts';
import type { Heard, MediaReport, MediaSession, MediaStats, Playout, RemoteAudio, SpokenChunk } from './ports.ts';
import type { WorkerLink } from './worker-link.ts';
import type { SessionNumber } from './worker-protocol.ts';

const NO_STATS: MediaStats = {
  packetsReceived: 0,
  packetsLost: 0,
  packetsLate: 0,
  packetsDuplicated: 0,
  packetsRefused: 0,
  packetsSent: 0,
  concealedFrames: 0,
  jitterMs: 0,
  jitterBufferMs: 0,
};

/**
 * A session as the control plane holds it: every method is a message to the worker. Nothing here throws when the
 * worker has died or the session is closed; writers are told "not current", the rest is empty.
 */
export class RemoteSession implements MediaSession {
  readonly call: CallId;
  readonly localPort: number;
  readonly playout: Playout;
  readonly #session: SessionNumber;
  readonly #link: WorkerLink;
  readonly #onClosed: () => void;
  #closing: Promise<MediaReport> | undefined;

  constructor(call: CallId, localPort: number, session: SessionNumber, link: WorkerLink, onClosed: () => void) {
    this.call = call;
    this.localPort = localPort;
    this.#session = session;
    this.#link = link;
    this.#onClosed = onClosed;
    this.playout = new RemotePlayout(session, link);
  }

  connect(remote: RemoteAudio): void {
    this.#link.tell({ type: 'connect', session: this.#session, remote });
  }

  listen(port: MessagePort): void {
    this.#link.tell({ type: 'listen', session: this.#session, port }, [port]);
  }

  endSegment(): void {
    this.#link.tell({ type: 'end-segment', session: this.#session });
  }

  armBargeIn(armed: boolean): void {
    this.#link.tell({ type: 'arm', session: this.#session, armed });
  }

  record(path: string): void {
    this.#link.tell({ type: 'record', session: this.#session, path });
  }

  maskRecording(masked: boolean): void {
    this.#link.tell({ type: 'mask', session: this.#session, masked });
  }

  async stats(): Promise<MediaStats> {
    const stats = await this.#link.ask({ type: 'stats', session: this.#session }).catch(() => undefined);
    return (stats as MediaStats | undefined) ?? { ...NO_STATS };
  }

  close(): Promise<MediaReport> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<MediaReport> {
    const report = await this.#link.ask({ type: 'close', session: this.#session }).catch(() => undefined);
    this.#onClosed();
    return (report as MediaReport | undefined) ?? { ...NO_STATS };
  }
}

class RemotePlayout implements Playout {
  readonly #session: SessionNumber;
  readonly #link: WorkerLink;

  constructor(session: SessionNumber, link: WorkerLink) {
    this.#session = session;
    this.#link = link;
  }

  begin(turn: TurnId): void {
    this.#link.tell({ type: 'begin', session: this.#session, turn });
  }

  async write(turn: TurnId, chunk: SpokenChunk): Promise<boolean> {
    // A view of a larger buffer is copied, so that only what belongs to the chunk is transferred.
    const whole = chunk.pcm.byteLength === chunk.pcm.buffer.byteLength && chunk.pcm.buffer instanceof ArrayBuffer;
    const pcm = whole ? chunk.pcm : chunk.pcm.slice();
    const request = { type: 'write', session: this.#session, turn, chunk: { pcm, words: chunk.words } } as const;
    return (await this.#link.ask(request, [pcm.buffer as ArrayBuffer]).catch(() => false)) === true;
  }

  async finish(turn: TurnId): Promise<Heard> {
    return this.#heard(turn, 'finish');
  }

  resume(turn: TurnId): void {
    this.#link.tell({ type: 'resume', session: this.#session, turn });
  }

  async cut(turn: TurnId): Promise<Heard> {
    return this.#heard(turn, 'cut');
  }

  async #heard(turn: TurnId, type: 'finish' | 'cut'): Promise<Heard> {
    const heard = await this.#link.ask({ type, session: this.#session, turn }).catch(() => undefined);
    return (heard as Heard | undefined) ?? { turn, text: '', playedMs: 0, complete: false };
  }
}

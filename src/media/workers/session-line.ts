import type { MessagePort } from 'node:worker_threads';
import { Failure } from '../../core/errors.ts';
import type { Ask, Tell, WorkerLink } from './worker-link.ts';
import type { SessionNumber, WorkerAnswer } from './worker-protocol.ts';

type Of<Request> = Request extends { session: SessionNumber } ? Omit<Request, 'session'> : never;
export type SessionAsk = Of<Ask>;
export type SessionTell = Of<Tell>;

/** In the place of an answer: the worker died before it gave one. */
export const GONE = Symbol('the media worker is gone');

/**
 * A session's way to whichever worker carries it. Moves: up -> interrupted (its worker died) -> up (another carries it)
 * | lost. While it is interrupted nothing is sent: the session keeps what it was told and tells it again.
 */
export class SessionLine {
  readonly session: SessionNumber;
  #link: WorkerLink;
  #state: 'up' | 'interrupted' | 'lost' = 'up';
  #settled: Promise<void> = Promise.resolve();
  #settle: () => void = () => undefined;

  constructor(session: SessionNumber, link: WorkerLink) {
    this.session = session;
    this.#link = link;
  }

  get state(): 'up' | 'interrupted' | 'lost' {
    return this.#state;
  }

  /** To the worker that carries it, or did. */
  get link(): WorkerLink {
    return this.#link;
  }

  /** Resolves when the line is up again, or lost. */
  get settled(): Promise<void> {
    return this.#settled;
  }

  interrupt(): void {
    if (this.#state !== 'up') return;
    this.#state = 'interrupted';
    this.#settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  restore(link: WorkerLink): void {
    if (this.#state !== 'interrupted') return;
    this.#link = link;
    this.#state = 'up';
    this.#settle();
  }

  lose(): void {
    this.#state = 'lost';
    this.#settle();
  }

  tell(request: SessionTell, transfer: MessagePort[] = []): void {
    if (this.#state === 'up') this.#link.tell({ ...request, session: this.session } as Tell, transfer);
    else for (const port of transfer) port.close();
  }

  /** The worker's answer, undefined when it refuses, GONE when it is dead. Never rejects. */
  async ask(request: SessionAsk): Promise<WorkerAnswer | typeof GONE> {
    if (this.#state !== 'up') return GONE;
    try {
      return await this.#link.ask({ ...request, session: this.session } as Ask);
    } catch (error) {
      return error instanceof Failure && error.code === 'media-worker-gone' ? GONE : undefined;
    }
  }

  /** Asks again when the worker died before it answered. For what may be asked twice. */
  async askUntilAnswered(request: SessionAsk): Promise<WorkerAnswer> {
    for (;;) {
      await this.#settled;
      const answer = await this.ask(request);
      if (answer !== GONE) return answer;
      // Lost; or dead and nobody has said so, because the engine is closing.
      if (this.state !== 'interrupted') return undefined;
    }
  }
}

import type { Ms } from '../../core/clock.ts';
import type { Failure } from '../../core/errors.ts';
import { newTag } from '../identifiers.ts';
import type { SipMessage, SipRequest, SipResponse } from '../message/message.ts';
import type { Via } from '../message/values.ts';
import type { Timed } from '../scheduler.ts';
import type { Flow } from '../transport/flow.ts';
import type { InviteClientMachine } from './invite-client.ts';
import type { InviteServerMachine } from './invite-server.ts';
import type { Effect } from './machine.ts';
import type { NonInviteClientMachine } from './non-invite-client.ts';
import type { NonInviteServerMachine } from './non-invite-server.ts';

/** What transactions need from the layer that holds them. */
export interface TransactionHost {
  now(): Ms;
  changed(timed: Timed): void;
  respond(bytes: Buffer, via: Via, flow: Flow, failed: (error: Failure) => void): void;
  forgetServer(transaction: ServerTransaction): void;
  forgetClient(transaction: ClientTransaction): void;
}

/** Retransmissions are the same bytes: written once. */
class LastBytes {
  #message: SipMessage | undefined;
  #bytes: Buffer | undefined;

  of(message: SipMessage): Buffer {
    if (this.#message !== message || this.#bytes === undefined) {
      this.#message = message;
      this.#bytes = message.serialize();
    }
    return this.#bytes;
  }

  /** They are not sent again. */
  forget(): void {
    this.#message = undefined;
    this.#bytes = undefined;
  }
}

/** One request of a peer and our answers to it. */
export class ServerTransaction implements Timed {
  readonly flow: Flow;
  readonly key: string;
  readonly mergeKey: string | undefined;
  /** The To tag of all our answers, where the request has none. */
  readonly localTag = newTag();
  /** Told once when a final answer could not be brought home: no ACK in time, or the transport failed. */
  onFailed: ((error: Failure | undefined) => void) | undefined;
  readonly #host: TransactionHost;
  readonly #isInvite: boolean;
  readonly #via: Via;
  readonly #bytes = new LastBytes();
  readonly #machine: InviteServerMachine | NonInviteServerMachine;
  #request: SipRequest | undefined;

  constructor(
    host: TransactionHost,
    machine: InviteServerMachine | NonInviteServerMachine,
    request: SipRequest,
    flow: Flow,
    keys: { key: string; mergeKey: string | undefined },
  ) {
    this.#host = host;
    this.#machine = machine;
    this.#request = request;
    this.#isInvite = request.method === 'INVITE';
    this.flow = flow;
    this.key = keys.key;
    this.mergeKey = keys.mergeKey;
    this.#via = request.via;
  }

  /** @throws TypeError behind `letGo` */
  get request(): SipRequest {
    if (this.#request === undefined) throw new TypeError('what this transaction was about has been let go');
    return this.#request;
  }

  /**
   * What it was about is over, and only copies of the request are waited for: half a minute, in which calls of a busy hour
   * would leave tens of thousands of messages behind.
   */
  letGo(): void {
    this.#request = undefined;
    // Copies of an INVITE behind its 2xx are swallowed.
    if (this.state === 'accepted') this.#bytes.forget();
  }

  get state(): string {
    return this.#machine.state;
  }

  /** No final answer yet. */
  get pending(): boolean {
    return this.state === 'proceeding' || this.state === 'trying';
  }

  /**
   * An INVITE that was answered with 300 or more. The same one on another branch is no merged request (RFC 3261 8.2.2.2 looks
   * for ongoing ones) but a proxy's next try, which a busy moment later may be taken.
   */
  get refused(): boolean {
    return this.#isInvite && (this.state === 'completed' || this.state === 'confirmed');
  }

  respond(response: SipResponse): void {
    this.#run(this.#machine.respond(response, this.#host.now()));
  }

  /** The request again, or the ACK of our refusal. */
  receive(request: SipRequest): void {
    this.#run(this.#machine.receive(request, this.#host.now()));
  }

  terminate(): void {
    if (this.state !== 'terminated') this.#run(this.#machine.terminate());
  }

  deadline(): Ms | undefined {
    return this.#machine.deadline();
  }

  wake(now: Ms): void {
    this.#run(this.#machine.tick(now));
  }

  #run(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'send':
          this.#host.respond(this.#bytes.of(effect.message), this.#via, this.flow, (error) =>
            this.#run(this.#machine.transportFailed(error)),
          );
          break;
        case 'timeout':
          this.onFailed?.(undefined);
          break;
        case 'transport-failed':
          this.onFailed?.(effect.error);
          break;
        case 'terminated':
          this.#host.forgetServer(this);
          break;
        case 'deliver':
          break;
      }
    }
    this.#host.changed(this);
  }
}

/** How the user of a client transaction is told. Neither may throw. */
export interface ClientEvents {
  /** Provisional and final; for INVITE also every further 2xx. */
  onResponse(response: SipResponse): void;
  /** `undefined`: nobody answered in time. */
  onFailed(error: Failure | undefined): void;
}

/** One request of ours and the answers to it. */
export class ClientTransaction implements Timed {
  /** As sent, with its Via. */
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly key: string;
  readonly #host: TransactionHost;
  readonly #machine: InviteClientMachine | NonInviteClientMachine;
  readonly #events: ClientEvents;
  readonly #bytes = new LastBytes();

  constructor(
    host: TransactionHost,
    machine: InviteClientMachine | NonInviteClientMachine,
    flow: Flow,
    key: string,
    events: ClientEvents,
  ) {
    this.#host = host;
    this.#machine = machine;
    this.request = machine.request;
    this.flow = flow;
    this.key = key;
    this.#events = events;
  }

  get state(): string {
    return this.#machine.state;
  }

  start(): void {
    this.#run(this.#machine.start(this.#host.now()));
  }

  receive(response: SipResponse): void {
    this.#run(this.#machine.receive(response, this.#host.now()));
  }

  terminate(): void {
    if (this.state !== 'terminated') this.#run(this.#machine.terminate());
  }

  deadline(): Ms | undefined {
    return this.#machine.deadline();
  }

  wake(now: Ms): void {
    this.#run(this.#machine.tick(now));
  }

  #run(effects: readonly Effect[]): void {
    try {
      for (const effect of effects) this.#do(effect);
    } finally {
      // Whatever its user made of a response: its timers run, and nothing is left of it when it is over.
      if (this.state === 'terminated') this.#host.forgetClient(this);
      this.#host.changed(this);
    }
  }

  #do(effect: Effect): void {
    switch (effect.type) {
      case 'send':
        this.flow.send(this.#bytes.of(effect.message), (error) => this.#run(this.#machine.transportFailed(error)));
        break;
      case 'deliver':
        this.#events.onResponse(effect.message);
        break;
      case 'timeout':
        this.#events.onFailed(undefined);
        break;
      case 'transport-failed':
        this.#events.onFailed(effect.error);
        break;
      case 'terminated':
        break;
    }
  }
}

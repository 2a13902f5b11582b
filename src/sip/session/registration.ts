import { randomBytes } from 'node:crypto';
import type { Ms } from '../../core/clock.ts';
import { asFailure } from '../../core/errors.ts';
import type { DigestClient } from '../auth/digest-client.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { parseSipUri } from '../message/uri.ts';
import { parseNameAddr, secondsOf } from '../message/values.ts';
import type { Flow } from '../transport/flow.ts';
import { anewFrom, exchange, goOnFrom } from './exchange.ts';
import { outgoingRequest } from './outgoing-request.ts';
import { RegistrationMachine, type RegistrationState } from './registration-machine.ts';
import type { Stack } from './stack.ts';

export interface RegistrationOptions {
  /** Request-URI, e.g. sip:pbx.example;transport=tcp */
  registrar: string;
  /** The address of record as a header value, e.g. `"Bank" <sip:200@pbx.example>`. */
  aor: string;
  /** User part of our Contact. Default: that of the address of record. */
  contactUser?: string | undefined;
  /** Seconds to ask for. */
  expires: number;
  auth?: DigestClient | undefined;
  routes?: readonly string[] | undefined;
  /** A registrar that has said nothing for this long has failed. Default: 5 s. */
  silenceMs?: Ms | undefined;
  /** Told after each REGISTER. Must not throw. */
  onChange?: ((registration: Registration) => void) | undefined;
}

/** Marks our Contact: a request that has it comes by way of the registrar, whatever address it is sent from. */
const TOKEN = 'rid';
/** How long we wait for the registrar when we leave. */
const LEAVE_MS: Ms = 2_000;

/** One binding at a registrar (RFC 3261 10), kept alive until it is closed. */
export class Registration {
  readonly #stack: Stack;
  readonly #options: RegistrationOptions;
  readonly #machine: RegistrationMachine;
  readonly #token = randomBytes(9).toString('base64url');
  readonly #contactUser: string | undefined;
  /** The last REGISTER: all of them have one Call-ID, and CSeq counts on (10.2). */
  #last: SipRequest | undefined;
  #flow: Flow | undefined;
  #serviceRoute: readonly string[] = [];
  #failure: string | undefined;
  #asking: Promise<void> | undefined;
  #stopTimer: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(stack: Stack, options: RegistrationOptions) {
    this.#stack = stack;
    this.#options = options;
    this.#machine = new RegistrationMachine(options.expires, Math.random);
    this.#contactUser = options.contactUser ?? parseSipUri(parseNameAddr(options.aor).uri).user;
    this.#ask();
  }

  get state(): RegistrationState {
    return this.#machine.state;
  }

  /** The registrar knows us now; also while that is being refreshed. */
  get bound(): boolean {
    return this.#machine.boundUntil > this.#stack.scheduler.now();
  }

  /** On the scheduler's clock. */
  get boundUntil(): Ms {
    return this.#machine.boundUntil;
  }

  /** Why the last REGISTER failed; undefined when it did not. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Routes for our requests that the registrar has named (RFC 3608); empty without. */
  get serviceRoute(): readonly string[] {
    return this.#serviceRoute;
  }

  /** Has this request come for our Contact: with its mark, or to its user from the registrar itself? */
  reached(request: SipRequest, flow: Flow): boolean {
    if (!/^sips?:/i.test(request.uri)) return false;
    const { user, params } = request.sipUri;
    if (params.get(TOKEN) === this.#token) return true;
    return user === this.#contactUser && flow.remote.address === this.#flow?.remote.address;
  }

  /** Takes the binding back. Idempotent; resolves when the registrar has confirmed or did not answer. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #ask(): void {
    this.#machine.ask();
    this.#asking = this.#register()
      .catch((error: unknown) => this.#stack.log.error({ err: error }, 'registration failed'))
      .finally(() => {
        this.#asking = undefined;
        this.#options.onChange?.(this);
      });
  }

  async #register(): Promise<void> {
    const { scheduler } = this.#stack;
    const at = scheduler.now();
    const { expires } = this.#machine;
    const answered = await this.#send(expires, this.#options.silenceMs ?? 5_000);
    if (typeof answered === 'string') this.#refused({ status: 408, why: answered });
    else if (!answered.isSuccess) this.#refusedBy(answered);
    else {
      this.#failure = undefined;
      this.#serviceRoute = answered.headers.list('service-route');
      // Nobody knows us for longer than was asked for, whatever they say.
      const granted = Math.min(this.#grantedBy(answered) ?? expires, expires);
      if (granted > 0) this.#machine.granted(granted, at);
      else this.#refused({ status: answered.status, why: 'the registrar keeps no binding of ours' });
    }
    this.#arm();
  }

  /** The final response, or why there is none. */
  async #send(expires: number, silenceMs: Ms): Promise<SipResponse | string> {
    const { registrar, aor, auth, routes } = this.#options;
    try {
      const options = { from: aor, routes: routes ?? [], contactUser: this.#contactUser };
      const { request, contact, nextHop } = await outgoingRequest(this.#stack, 'REGISTER', registrar, options);
      const { displayName, uri } = parseNameAddr(aor);
      request.headers.set('To', displayName === undefined ? `<${uri}>` : aor);
      request.headers.set('Contact', `${contact.slice(0, -1)};${TOKEN}=${this.#token}>;expires=${expires}`);
      request.headers.set('Expires', String(expires)).set('Supported', 'path');
      if (this.#last !== undefined) goOnFrom(this.#last, request);
      const next = anewFrom(request);
      const build = () => {
        this.#last = next();
        return this.#last;
      };
      const { response, failure, flow } = await exchange(this.#stack, build, nextHop, { auth, silenceMs });
      this.#flow = flow;
      return response ?? failure.message;
    } catch (error) {
      return asFailure(error).message;
    }
  }

  #refusedBy(response: SipResponse): void {
    const retryAfter = secondsOf(response.headers.get('retry-after'));
    const { status, reason } = response;
    this.#refused({
      status,
      why: `${status} ${reason}`,
      minExpires: secondsOf(response.headers.get('min-expires')),
      retryAfterMs: retryAfter === undefined ? undefined : retryAfter * 1000,
    });
  }

  #refused({ why, ...refusal }: Parameters<RegistrationMachine['refused']>[0] & { why: string }): void {
    this.#failure = why;
    this.#machine.refused(refusal, this.#stack.scheduler.now());
  }

  /** Seconds, as the 2xx says for our Contact, else for all; 0 where others are listed and we are not (10.2.4). */
  #grantedBy(response: SipResponse): number | undefined {
    const all = secondsOf(response.headers.get('expires'));
    const contacts = response.headers.list('contact');
    const ours = contacts.find((contact) => contact.includes(`;${TOKEN}=${this.#token}`));
    if (ours === undefined) return contacts.length > 0 ? 0 : all;
    return expiresOf(ours) ?? all;
  }

  #arm(): void {
    const { askAt } = this.#machine;
    if (askAt === undefined || this.#closing !== undefined) return;
    const { scheduler } = this.#stack;
    this.#stopTimer = scheduler.after(Math.max(0, askAt - scheduler.now()), () => this.#ask());
  }

  async #close(): Promise<void> {
    this.#stopTimer?.();
    // What is under way may still make a binding.
    await this.#asking;
    if (!this.#machine.leave(this.#stack.scheduler.now())) return;
    await this.#send(0, LEAVE_MS);
    this.#machine.left();
    this.#options.onChange?.(this);
  }
}

/** Undefined where it is not said, or nobody can read what is. */
function expiresOf(contact: string): number | undefined {
  try {
    return secondsOf(parseNameAddr(contact).params.get('expires'));
  } catch {
    return undefined;
  }
}

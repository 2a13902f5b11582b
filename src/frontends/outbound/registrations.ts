import type { RegistrationStatus } from '../../call/outbound.ts';
import { type Clock, wallTimeOf } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { DigestClient } from '../../sip/auth/digest-client.ts';
import type { SipRequest } from '../../sip/message/message.ts';
import type { Registration } from '../../sip/session/registration.ts';
import type { Flow } from '../../sip/transport/flow.ts';
import type { UserAgent } from '../../sip/user-agent.ts';
import type { Account } from './account.ts';

export interface RegistrationsOptions {
  userAgent: Pick<UserAgent, 'register'>;
  clock: Clock;
  log: Logger;
}

interface Held {
  account: Account;
  registration: Registration;
  /** As it was told the last time: a registrar that is away for a day is worth one line. */
  told: string | undefined;
}

/** Where we are registered, as sip-config/ says it now. */
export class Registrations {
  readonly #o: RegistrationsOptions;
  readonly #held = new Map<string, Held>();
  readonly #leaving = new Set<Promise<void>>();
  #closed = false;

  constructor(options: RegistrationsOptions) {
    this.#o = options;
  }

  /** Registers what is new, takes back what is gone; what has changed is both. */
  sync(accounts: readonly Account[]): void {
    if (this.#closed) return;
    const wanted = new Map(accounts.map((account) => [account.name, account]));
    for (const [name, { account }] of this.#held) {
      if (wanted.get(name)?.fingerprint !== account.fingerprint) this.#drop(name);
    }
    for (const account of accounts) if (!this.#held.has(account.name)) this.#hold(account);
  }

  /** The account whose Contact this request has come for; undefined: none of ours. */
  owner(request: SipRequest, flow: Flow): Account | undefined {
    for (const { account, registration } of this.#held.values()) {
      if (registration.reached(request, flow)) return account;
    }
    return undefined;
  }

  /** Routes that the registrar of this account has named (RFC 3608). */
  serviceRoute(name: string): readonly string[] {
    return this.#held.get(name)?.registration.serviceRoute ?? [];
  }

  status(): RegistrationStatus[] {
    const { clock } = this.#o;
    return [...this.#held.values()].map(({ account, registration }) => ({
      name: account.name,
      registrar: account.registrar,
      aor: account.aor,
      registered: registration.bound,
      state: registration.state,
      expiresAt: registration.bound ? wallTimeOf(clock, registration.boundUntil) : undefined,
      lastFailure: registration.failure,
    }));
  }

  /** Takes every binding back, for good. Resolves when registrars have confirmed, or did not answer. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const name of [...this.#held.keys()]) this.#drop(name);
    await Promise.all(this.#leaving);
  }

  #hold(account: Account): void {
    const { userAgent } = this.#o;
    const { registrar, aor, contactUser, expiresSeconds: expires, routes } = account;
    const auth = account.auth && new DigestClient(account.auth);
    const onChange = (registration: Registration) => this.#tell(account.name, registration);
    const registration = userAgent.register({ registrar, aor, contactUser, expires, routes, auth, onChange });
    this.#held.set(account.name, { account, registration, told: undefined });
  }

  #drop(name: string): void {
    const held = this.#held.get(name);
    if (held === undefined) return;
    this.#held.delete(name);
    const left = held.registration.close().finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }

  #tell(name: string, registration: Registration): void {
    const held = this.#held.get(name);
    const news = registration.failure ?? 'registered';
    if (held === undefined || held.registration !== registration || held.told === news) return;
    held.told = news;
    const { log } = this.#o;
    if (registration.failure === undefined) log.info({ registration: name }, 'registered');
    else log.warn({ registration: name, reason: news, registered: registration.bound }, 'registration failed');
  }
}

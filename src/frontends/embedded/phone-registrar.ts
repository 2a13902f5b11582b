import type { RegisteredPhone } from '../../call/phone-desk.ts';
import type { Clock } from '../../core/clock.ts';
import { asFailure } from '../../core/errors.ts';
import type { SipRequest } from '../../sip/message/message.ts';
import { parseNameAddr, secondsOf } from '../../sip/message/values.ts';
import { allowHeader } from '../../sip/session/stack.ts';
import type { Flow } from '../../sip/transport/flow.ts';
import type { GrantedPhone } from '../trunks/browser-phones.ts';

/** Where a person's phone is now. */
interface Binding {
  contact: string;
  flow: Flow;
  since: Date;
  until: Date;
}

type Reply = { status: number; headers?: Record<string, string> };

/** What is granted to who asks for no time, and at most: a laptop that was shut is missed this long. */
const LONGEST_S = 120;
/** Names at once; one more gets 503. */
const MOST = 1000;

/**
 * Phones in browsers that take calls (RFC 3261 10.3), one for each name: who signs in at another page is reached there. A
 * binding ends with its time and with its WebSocket. Nothing else can register.
 */
export class PhoneRegistrar {
  readonly #clock: Clock;
  readonly #bindings = new Map<string, Binding>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined: nobody can be reached by this name now. */
  find(name: string): Binding | undefined {
    const binding = this.#bindings.get(name);
    if (binding && (binding.until <= this.#clock.wall() || !binding.flow.open)) this.#bindings.delete(name);
    return this.#bindings.get(name);
  }

  list(): RegisteredPhone[] {
    return [...this.#bindings.keys()].flatMap((name) => {
      const binding = this.find(name);
      return binding ? [{ name, since: binding.since }] : [];
    });
  }

  /** The answer to a REGISTER. `grant` undefined: it is not one of a phone that may be called. Never throws. */
  register(request: SipRequest, flow: Flow, grant: GrantedPhone | undefined): Reply {
    if (grant?.may !== 'be-called') return { status: 405, headers: allowHeader() };
    const { name, until } = grant;
    try {
      const value = request.headers.get('contact')?.trim();
      const before = this.find(name);
      if (value === undefined) return granted(before, this.#clock.wall());
      const contact = value === '*' ? undefined : parseNameAddr(value);
      const asked = secondsOf(contact?.params.get('expires')) ?? secondsOf(request.headers.get('expires')) ?? LONGEST_S;
      if (asked === 0) {
        // Who leaves takes nobody else away who has come under this name meanwhile.
        if (before?.flow === flow) this.#bindings.delete(name);
        return { status: 200 };
      }
      if (contact === undefined) return { status: 400 };
      if (before === undefined && this.list().length >= MOST) return { status: 503, headers: { 'Retry-After': '60' } };
      const now = this.#clock.wall();
      const longest = Math.min(until.getTime(), now.getTime() + 1000 * Math.min(asked, LONGEST_S));
      const since = before?.flow === flow ? before.since : now;
      const binding = { contact: contact.uri, flow, since, until: new Date(longest) };
      this.#bindings.set(name, binding);
      return granted(binding, now);
    } catch (error) {
      return { status: asFailure(error).blame === 'us' ? 500 : 400 };
    }
  }
}

function granted(binding: Binding | undefined, now: Date): Reply {
  if (binding === undefined) return { status: 200 };
  const seconds = Math.max(1, Math.floor((binding.until.getTime() - now.getTime()) / 1000));
  return { status: 200, headers: { Contact: `<${binding.contact}>;expires=${seconds}` } };
}

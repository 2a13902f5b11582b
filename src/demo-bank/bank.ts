import { type Answer, problemAnswer } from './problems.ts';
import { type SeedCard, type SeedCustomer, seedCustomers } from './seed.ts';

const DAY_MS = 86_400_000;
const WRONG_PINS_UNTIL_LOCK = 3;
const JOURNAL_SIZE = 10_000;

/** One thing that changed in the bank, for tests that count. Holds no secret. */
export interface JournalEntry {
  seq: number;
  kind: 'card-blocked' | 'callback-requested' | 'pin-accepted' | 'pin-refused' | 'customer-locked';
  at: string;
  /** CLOCK_MONOTONIC of this machine, ms: comparable with the stamps of other processes here. */
  monotonicMs: number;
  customer?: string;
  card?: string;
  callback?: string;
  idempotencyKey?: string;
  correlationId: string;
}

/** Who asks; goes into the journal. */
export interface Asker {
  correlationId: string;
  idempotencyKey: string | undefined;
}

export interface BankOptions {
  /** Fixes the bank's date (YYYY-MM-DD); otherwise it is the date in UTC. */
  today: string | undefined;
  lockMs: number;
  /** Wall clock, ms since the epoch. */
  now: () => number;
}

interface Card extends SeedCard {
  blockedDay?: number;
}

interface Customer extends Omit<SeedCustomer, 'cards'> {
  cards: Card[];
  wrongPins: number;
  lockedUntil: number;
}

interface Callback {
  id: string;
  phone: string;
  customerNumber?: string;
  topic?: string;
}

/** The bank's state and rules, without HTTP. Every method is synchronous: a change happens wholly or not at all. */
export class Bank {
  readonly #options: BankOptions;
  #customers = new Map<string, Customer>();
  #callbacks: Callback[] = [];
  #journal: JournalEntry[] = [];
  #seq = 0;

  constructor(options: BankOptions) {
    this.#options = options;
    this.reset();
  }

  /** Back to the seed data. */
  reset(): void {
    this.#customers = new Map(
      seedCustomers.map((customer) => [
        customer.number,
        { ...customer, cards: customer.cards.map((card) => ({ ...card })), wrongPins: 0, lockedUntil: 0 },
      ]),
    );
    this.#callbacks = [];
    this.#journal = [];
  }

  get journal(): readonly JournalEntry[] {
    return this.#journal;
  }

  findByPhone(phone: string): Answer {
    const customers = [...this.#customers.values()]
      .filter((customer) => customer.phone === phone)
      .map((customer) => ({ number: customer.number, name: customer.name }));
    return { status: 200, body: { customers } };
  }

  /** An unknown number and a wrong PIN are answered alike, so that numbers cannot be guessed. */
  verify(number: string, pin: string, asker: Asker): Answer {
    const customer = this.#customers.get(number);
    if (customer === undefined) return problemAnswer('wrong-pin');
    const now = this.#options.now();
    if (customer.lockedUntil > now) return this.#locked(customer, now);
    if (pin === customer.pin) {
      customer.wrongPins = 0;
      this.#note(asker, { kind: 'pin-accepted', customer: number });
      return { status: 200, body: { verified: true, customer: { number, name: customer.name } } };
    }
    customer.wrongPins++;
    this.#note(asker, { kind: 'pin-refused', customer: number });
    if (customer.wrongPins < WRONG_PINS_UNTIL_LOCK) return problemAnswer('wrong-pin');
    customer.wrongPins = 0;
    customer.lockedUntil = now + this.#options.lockMs;
    this.#note(asker, { kind: 'customer-locked', customer: number });
    return this.#locked(customer, now);
  }

  cards(number: string): Answer {
    const customer = this.#customers.get(number);
    if (customer === undefined) return problemAnswer('not-found');
    return { status: 200, body: { cards: customer.cards.map((card) => this.#showCard(card)) } };
  }

  delivery(number: string, cardId: string): Answer {
    const card = this.#card(number, cardId);
    if (card === undefined) return problemAnswer('not-found');
    let status = 'in-production';
    if (card.deliveredDay !== undefined) status = 'delivered';
    else if (card.shippedDay !== undefined) status = 'shipped';
    return {
      status: 200,
      body: {
        cardId: card.id,
        kind: card.kind,
        last4: card.number.slice(-4),
        cardStatus: card.status,
        status,
        orderedOn: this.#date(card.orderedDay),
        shippedOn: this.#date(card.shippedDay),
        expectedOn: this.#date(card.expectedDay),
        deliveredOn: this.#date(card.deliveredDay),
        carrier: card.carrier,
        trackingNumber: card.trackingNumber,
      },
    };
  }

  accounts(number: string, kind: string | undefined): Answer {
    const customer = this.#customers.get(number);
    if (customer === undefined) return problemAnswer('not-found');
    const accounts = customer.accounts
      .filter((account) => kind === undefined || account.kind === kind)
      .map(({ id, kind, balance }) => ({ id, kind, balance: usd(balance) }));
    return { status: 200, body: { accounts } };
  }

  transactions(number: string, limit: number, account: string | undefined): Answer {
    const customer = this.#customers.get(number);
    if (customer === undefined) return problemAnswer('not-found');
    const transactions = customer.transactions
      .filter((transaction) => account === undefined || transaction.account === account)
      .toSorted((a, b) => b.day - a.day)
      .slice(0, limit)
      .map(({ id, account, day, direction, amount, counterparty }) => ({
        id,
        account,
        bookedOn: this.#date(day),
        direction,
        amount: usd(amount),
        counterparty,
      }));
    return { status: 200, body: { transactions } };
  }

  block(number: string, cardId: string, asker: Asker): Answer {
    const card = this.#card(number, cardId);
    if (card === undefined) return problemAnswer('not-found');
    if (card.status === 'blocked') return problemAnswer('card-already-blocked');
    card.status = 'blocked';
    card.blockedDay = 0;
    this.#note(asker, { kind: 'card-blocked', customer: number, card: cardId });
    return { status: 200, body: { card: this.#showCard(card) } };
  }

  requestCallback(wish: { phone?: string; customerNumber?: string; topic?: string }, asker: Asker): Answer {
    const customer = wish.customerNumber === undefined ? undefined : this.#customers.get(wish.customerNumber);
    const phone = wish.phone ?? customer?.phone;
    if (phone === undefined) return problemAnswer('invalid-request', { detail: 'no number to call back' });
    const id = `CB-${1001 + this.#callbacks.length}`;
    this.#callbacks.push({ id, phone, customerNumber: customer?.number, topic: wish.topic });
    this.#note(asker, { kind: 'callback-requested', customer: customer?.number, callback: id });
    return { status: 201, body: { id, phone, withinMinutes: 120 } };
  }

  #card(number: string, cardId: string): Card | undefined {
    return this.#customers.get(number)?.cards.find((card) => card.id === cardId);
  }

  #showCard(card: Card): Record<string, unknown> {
    return { id: card.id, kind: card.kind, last4: card.number.slice(-4), status: card.status };
  }

  #locked(customer: Customer, now: number): Answer {
    const seconds = Math.max(1, Math.ceil((customer.lockedUntil - now) / 1000));
    return { ...problemAnswer('locked', { retryAfterSeconds: seconds }), headers: { 'retry-after': String(seconds) } };
  }

  /** The calendar date so many days from the bank's today. */
  #date(day: number | undefined): string | undefined {
    if (day === undefined) return undefined;
    const today = this.#options.today ?? new Date(this.#options.now()).toISOString().slice(0, 10);
    return new Date(Date.parse(`${today}T00:00:00Z`) + day * DAY_MS).toISOString().slice(0, 10);
  }

  #note(asker: Asker, entry: Pick<JournalEntry, 'kind' | 'customer' | 'card' | 'callback'>): void {
    const [s, ns] = process.hrtime();
    this.#journal.push({
      seq: ++this.#seq,
      ...entry,
      at: new Date(this.#options.now()).toISOString(),
      monotonicMs: s * 1000 + ns / 1e6,
      ...asker,
    });
    if (this.#journal.length > JOURNAL_SIZE) this.#journal.shift();
  }
}

function usd(amount: string): { amount: string; currency: 'USD' } {
  return { amount, currency: 'USD' };
}

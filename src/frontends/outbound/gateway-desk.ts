import type { DialCounter } from '../../call/dial-counter.ts';
import { type Ceiling, ceilingsOf, type DialLimit, prefixesOf } from '../../call/dial-limits.ts';
import type { DialRequest } from '../../call/legs/dialler.ts';
import type { Clock, Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { rateOf, TokenBucket } from '../../core/token-bucket.ts';
import { DayCount } from './day-count.ts';
import type { Gateway } from './gateway.ts';

/** Numbers whose calls are counted, per gateway. When full, the one that was dialled the longest ago is forgotten. */
const MAX_NUMBERS = 10_000;

/** What is needed of a gateway here. */
type Limited = Pick<Gateway, 'name' | 'limits'>;

interface Running {
  calls: number;
  /** What was said to the last call that wanted to be dialled: a limit stands. */
  atLimit: boolean;
  day: DayCount;
  bucket: TokenBucket | undefined;
  numbers: Map<string, DayCount>;
  /** By the prefix of the limit; there are as many as are configured. */
  prefixes: Map<string, { calls: number; day: DayCount }>;
  /** How calls ended before an answer, or `answered`; since the start. */
  outcomes: Map<string, number>;
}

export interface GatewayDeskOptions {
  /** Counts for all connectors. Without it each goes by its own count, and a restart begins a new day. */
  counter: DialCounter | undefined;
  clock: Clock;
  log: Logger;
}

/**
 * What each gateway is doing here, and its limits against toll fraud. Outlives reloads: a gateway is known by its name.
 */
export class GatewayDesk {
  readonly #o: GatewayDeskOptions;
  readonly #running = new Map<string, Running>();

  constructor(options: GatewayDeskOptions) {
    this.#o = options;
  }

  calls(gateway: string): number {
    return this.#running.get(gateway)?.calls ?? 0;
  }

  /** Did a limit keep the last call from being dialled? Then one may keep the next. */
  atLimit(gateway: string): boolean {
    return this.#running.get(gateway)?.atLimit ?? false;
  }

  callsToday(gateway: string, now: Ms): number {
    return this.#running.get(gateway)?.day.total(now) ?? 0;
  }

  outcomes(gateway: string): Record<string, number> {
    return Object.fromEntries(this.#running.get(gateway)?.outcomes ?? []);
  }

  count(gateway: string, outcome: string): void {
    const { outcomes } = this.#of(gateway);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }

  /**
   * One more call to `number`: it counts from now on, and until the result is called once. Else which limit stands, or
   * `uncounted`: that cannot be known now.
   */
  async begin(
    gateway: Limited,
    number: string,
    whenUncounted: DialRequest['whenUncounted'] = 'refuse',
  ): Promise<(() => void) | DialLimit | 'uncounted'> {
    const begun = await this.#begin(gateway, number, whenUncounted);
    this.#of(gateway.name).atLimit = typeof begun === 'string';
    return begun;
  }

  async #begin(
    gateway: Limited,
    number: string,
    whenUncounted: DialRequest['whenUncounted'],
  ): Promise<(() => void) | DialLimit | 'uncounted'> {
    const { counter, clock, log } = this.#o;
    if (counter === undefined) return this.#beginHere(gateway, number, clock.now());
    const call = { gateway: gateway.name, number, limits: gateway.limits };
    let counted: (() => void) | DialLimit;
    try {
      counted = await counter.begin(call);
    } catch (error) {
      log.warn({ err: error, gateway: gateway.name, whenUncounted }, 'a call cannot be counted for all connectors');
      if (whenUncounted === 'refuse') return 'uncounted';
      const begun = this.#beginHere(gateway, number, clock.now());
      if (typeof begun !== 'string') counter.late(call);
      return begun;
    }
    if (typeof counted === 'string') return counted;
    const ended = counted;
    const endedHere = this.#countHere(gateway, number, clock.now());
    return () => {
      ended();
      endedHere();
    };
  }

  /** By this connector's own count. */
  #beginHere(gateway: Limited, number: string, now: Ms): (() => void) | DialLimit {
    const running = this.#of(gateway.name);
    const { limits } = gateway;
    const stands = ceilingsOf(limits, number).find((ceiling) => dialled(running, ceiling, now) >= ceiling.most);
    if (stands !== undefined) return stands.limit;
    const rate = rateOf(limits.callsPerSecond, limits.burst);
    running.bucket ??= new TokenBucket(rate, now);
    if (!running.bucket.take(rate, now)) return 'rate';
    return this.#countHere(gateway, number, now);
  }

  #countHere({ name, limits }: Limited, number: string, now: Ms): () => void {
    const running = this.#of(name);
    const prefixes = prefixesOf(limits, number).map(({ prefix }) => prefixOf(running, prefix));
    running.calls++;
    running.day.add(now);
    countNumber(running, number, now);
    for (const count of prefixes) {
      count.calls++;
      count.day.add(now);
    }
    return () => {
      running.calls--;
      for (const count of prefixes) count.calls--;
    };
  }

  /** Forgets the gateways that are configured no more, once they have no calls. */
  keep(names: ReadonlySet<string>): void {
    for (const [name, { calls }] of this.#running) if (!names.has(name) && calls === 0) this.#running.delete(name);
  }

  #of(name: string): Running {
    let running = this.#running.get(name);
    if (running === undefined) {
      running = {
        calls: 0,
        atLimit: false,
        day: new DayCount(),
        bucket: undefined,
        numbers: new Map(),
        prefixes: new Map(),
        outcomes: new Map(),
      };
      this.#running.set(name, running);
    }
    return running;
  }
}

/** What this ceiling bounds, as it is here. */
function dialled(running: Running, { counts, to }: Ceiling, now: Ms): number {
  if ('number' in to) return running.numbers.get(to.number)?.total(now) ?? 0;
  const { calls, day } = to.prefix === '' ? running : prefixOf(running, to.prefix);
  return counts === 'under way' ? calls : day.total(now);
}

function countNumber({ numbers }: Running, number: string, now: Ms): void {
  const count = numbers.get(number) ?? new DayCount();
  count.add(now);
  numbers.delete(number);
  numbers.set(number, count);
  if (numbers.size > MAX_NUMBERS) numbers.delete(numbers.keys().next().value!);
}

function prefixOf({ prefixes }: Running, prefix: string): { calls: number; day: DayCount } {
  let count = prefixes.get(prefix);
  if (count === undefined) {
    count = { calls: 0, day: new DayCount() };
    prefixes.set(prefix, count);
  }
  return count;
}

import type { Ms } from '../../core/clock.ts';
import { rateOf, TokenBucket } from '../../core/token-bucket.ts';
import { DayCount } from './day-count.ts';
import type { Gateway } from './gateway.ts';

/** Which limit stands. */
export type GatewayLimit = 'calls' | 'rate' | 'day' | 'number' | 'prefix';

/** Numbers whose calls are counted, per gateway. When full, the one that was dialled the longest ago is forgotten. */
const MAX_NUMBERS = 10_000;

interface Running {
  calls: number;
  day: DayCount;
  bucket: TokenBucket | undefined;
  numbers: Map<string, DayCount>;
  /** By the prefix of the limit; there are as many as are configured. */
  prefixes: Map<string, { calls: number; day: DayCount }>;
  /** How calls ended before an answer, or `answered`; since the start. */
  outcomes: Map<string, number>;
}

/**
 * What each gateway is doing, and its limits against toll fraud. In memory, so a restart begins a new day; outlives
 * reloads: a gateway is known by its name. Pure: time is passed in.
 */
export class GatewayDesk {
  readonly #running = new Map<string, Running>();

  calls(gateway: string): number {
    return this.#running.get(gateway)?.calls ?? 0;
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

  /** One more call to `number`: it counts from now on, and until the result is called once. Else which limit stands. */
  begin(gateway: Gateway, number: string, now: Ms): (() => void) | GatewayLimit {
    const running = this.#of(gateway.name);
    const { limits } = gateway;
    const prefixes = limits.prefixes
      .filter(({ prefix }) => number.startsWith(prefix))
      .map((limit) => ({ limit, count: prefixOf(running, limit.prefix) }));
    const sameNumber = running.numbers.get(number);
    if (running.calls >= limits.calls) return 'calls';
    if (running.day.total(now) >= limits.callsPerDay) return 'day';
    if ((sameNumber?.total(now) ?? 0) >= limits.callsPerNumberPerDay) return 'number';
    for (const { limit, count } of prefixes) {
      if (count.calls >= (limit.calls ?? Number.POSITIVE_INFINITY)) return 'prefix';
      if (count.day.total(now) >= (limit.callsPerDay ?? Number.POSITIVE_INFINITY)) return 'prefix';
    }
    const rate = rateOf(limits.callsPerSecond, limits.burst);
    running.bucket ??= new TokenBucket(rate, now);
    if (!running.bucket.take(rate, now)) return 'rate';
    running.calls++;
    running.day.add(now);
    this.#countNumber(running, number, sameNumber ?? new DayCount(), now);
    for (const { count } of prefixes) {
      count.calls++;
      count.day.add(now);
    }
    return () => {
      running.calls--;
      for (const { count } of prefixes) count.calls--;
    };
  }

  /** Forgets the gateways that are configured no more, once they have no calls. */
  keep(names: ReadonlySet<string>): void {
    for (const [name, { calls }] of this.#running) if (!names.has(name) && calls === 0) this.#running.delete(name);
  }

  #countNumber({ numbers }: Running, number: string, count: DayCount, now: Ms): void {
    count.add(now);
    numbers.delete(number);
    numbers.set(number, count);
    if (numbers.size > MAX_NUMBERS) numbers.delete(numbers.keys().next().value!);
  }

  #of(name: string): Running {
    let running = this.#running.get(name);
    if (running === undefined) {
      running = {
        calls: 0,
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

function prefixOf({ prefixes }: Running, prefix: string): { calls: number; day: DayCount } {
  let count = prefixes.get(prefix);
  if (count === undefined) {
    count = { calls: 0, day: new DayCount() };
    prefixes.set(prefix, count);
  }
  return count;
}

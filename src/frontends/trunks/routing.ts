import { type Hours, isOpen } from './hours.ts';
import type { RouteRefusal } from './schema.ts';

/** Where a called number leads. */
export interface NumberRule {
  readonly match: { number: string } | { prefix: string } | { pattern: RegExp } | { any: true };
  /** Only for calls of these trunks; of all when undefined. */
  readonly trunks: ReadonlySet<string> | undefined;
  readonly to: Destination;
  readonly hours: Hours | undefined;
  /** Outside the hours. */
  readonly closed: Destination | undefined;
}

/** `supervisors`: the line of those who listen to calls, not a bot's. */
export type Destination = { bot: string } | { refuse: RouteRefusal } | { supervisors: true };

/** Longer user parts are nobody's number; patterns are not tried on them. */
const LONGEST_NUMBER = 128;

const NOT_FOUND: Destination = { refuse: { status: 404 } };

/**
 * Which bot takes a call, or how it is refused. The most exact rule decides, wherever it stands: a number before a
 * prefix, a longer prefix before a shorter one, then patterns in their order, then `any`; a rule for this trunk before
 * one for all. Pure.
 */
export class NumberPlan {
  readonly #exact = new Map<string, NumberRule[]>();
  readonly #others: NumberRule[];

  constructor(rules: readonly NumberRule[]) {
    const ranked = rules.toSorted((a, b) => rank(a) - rank(b) || forAll(a) - forAll(b));
    for (const rule of ranked) {
      if (!('number' in rule.match)) continue;
      const { number } = rule.match;
      this.#exact.set(number, [...(this.#exact.get(number) ?? []), rule]);
    }
    this.#others = ranked.filter(({ match }) => !('number' in match));
  }

  /** `called` is the user part that was dialled, without visual separators where it is a telephone number. */
  destination(called: string, trunk: string, at: Date): Destination {
    const rule = this.#find(called, trunk);
    if (rule === undefined) return NOT_FOUND;
    return rule.hours && !isOpen(rule.hours, at) ? (rule.closed ?? NOT_FOUND) : rule.to;
  }

  #find(called: string, trunk: string): NumberRule | undefined {
    const serves = ({ trunks }: NumberRule) => trunks === undefined || trunks.has(trunk);
    const exact = this.#exact.get(called)?.find(serves);
    return exact ?? this.#others.find((rule) => serves(rule) && fits(rule, called));
  }
}

function fits({ match }: NumberRule, called: string): boolean {
  if ('prefix' in match) return called.startsWith(match.prefix);
  if ('pattern' in match) return called.length <= LONGEST_NUMBER && match.pattern.test(called);
  return true;
}

/** Lower is more exact. */
function rank({ match }: NumberRule): number {
  if ('number' in match) return -1_000;
  if ('prefix' in match) return -match.prefix.length;
  return 'pattern' in match ? 1 : 2;
}

function forAll({ trunks }: NumberRule): number {
  return trunks === undefined ? 1 : 0;
}

import {
  type Action,
  type ActionDesk,
  type ActionResult,
  type ActionStep,
  AGENT_ACTION,
  type Question,
} from '../../dialogue/questions/action-desk.ts';
import type { HandoverPrompts } from './handover-plan.ts';
import type { HandoverEnd, HandoverWay } from './handover-status.ts';

/** A hand-over as it is asked for: of a number or URI, or of a queue. */
export interface HandoverRequest {
  to?: string;
  queue?: string;
  /** Default auto, or what the queue says of each person. */
  how?: HandoverWay;
}

/** Why none was begun: see REFUSALS in http/routes/transfer.ts. */
export type HandoverRefusal = 'not-live' | 'not-answered' | 'pending' | 'no-queue' | 'unavailable';

export interface HandoverDeskOptions {
  /** Where all other actions are asked for, and the call-back. */
  desk: ActionDesk;
  prompts: HandoverPrompts;
  /** Brings in a person; resolves when that is over. 'pending': one is being brought in already. */
  seek(topic: string | undefined): Promise<HandoverEnd | HandoverRefusal>;
}

interface Wish {
  args: Record<string, unknown>;
  step: Promise<ActionStep>;
  asking: boolean;
}

const FAILED: ReadonlySet<string> = new Set(['closed', 'full', 'nobody', 'unknown']);

/**
 * The counter with a door to the people behind it: who asks for a person gets one, instead of the call-back that the
 * action books by itself. When nobody comes, the caller hears why (from the
 * hand-over itself) and is offered that call-back.
 */
export class HandoverDesk implements ActionDesk {
  readonly actions: readonly Action[];
  readonly #o: HandoverDeskOptions;
  readonly #wishes = new Map<string, Wish>();

  constructor(options: HandoverDeskOptions) {
    this.#o = options;
    this.actions = withPeople(options.desk.actions);
  }

  get customer(): ActionDesk['customer'] {
    return this.#o.desk.customer;
  }

  request(id: string, name: string, args: Record<string, unknown>): Promise<ActionStep> {
    const known = this.#wishes.get(id);
    if (known) return known.step;
    if (name !== AGENT_ACTION) return this.#o.desk.request(id, name, args);
    const wish: Wish = { args, step: this.#seek(id, args), asking: false };
    this.#wishes.set(id, wish);
    return wish.step;
  }

  answer(id: string, value: string): Promise<ActionStep> {
    const wish = this.#wishes.get(id);
    if (!wish?.asking) return this.#o.desk.answer(id, value);
    wish.asking = false;
    const { noCallback } = this.#o.prompts;
    wish.step =
      value === 'yes'
        ? this.#o.desk.request(`${id}-callback`, AGENT_ACTION, wish.args)
        : Promise.resolve(done({ ok: false, code: 'declined', data: {}, say: noCallback }));
    return wish.step;
  }

  async withdraw(id: string): Promise<void> {
    const wish = this.#wishes.get(id);
    if (wish === undefined) return this.#o.desk.withdraw(id);
    wish.asking = false;
  }

  async foresee(name: string, args: Record<string, unknown>): Promise<string | undefined> {
    return name === AGENT_ACTION ? undefined : this.#o.desk.foresee(name, args);
  }

  forget(): void {
    this.#o.desk.forget();
  }

  close(): Promise<void> {
    return this.#o.desk.close();
  }

  async #seek(id: string, args: Record<string, unknown>): Promise<ActionStep> {
    const topic = typeof args.topic === 'string' ? args.topic : undefined;
    // Not before the caller's wish is in the books: the bot leaves its seat at once.
    await Promise.resolve();
    const end = await this.#o.seek(topic);
    const { desk, prompts } = this.#o;
    // Nobody can be brought in (any more): the action does what it does by itself.
    if (end === 'no-queue' || end === 'unavailable') return desk.request(`${id}-callback`, AGENT_ACTION, args);
    if (end === 'pending') return done({ ok: false, code: end, data: {}, say: prompts.connecting });
    if (!FAILED.has(end)) return done({ ok: true, code: end, data: { handover: end }, say: prompts.whatElse });
    const wish = this.#wishes.get(id);
    if (wish) wish.asking = true;
    return { kind: 'ask', question: callbackQuestion(prompts) };
  }
}

const furnished = new WeakMap<readonly Action[], readonly Action[]>();

/** The same list for the same actions: the dialogue compiles what callers may say once for each list, not for each call. */
function withPeople(actions: readonly Action[]): readonly Action[] {
  let all = furnished.get(actions);
  if (all === undefined) {
    all = actions.map((action) => (action.name === AGENT_ACTION ? { ...action, description: DESCRIPTION } : action));
    furnished.set(actions, all);
  }
  return all;
}

const DESCRIPTION =
  'Connects the caller with a person of the bank, now. Use it when the caller asks for a person, or needs something that no other action does.';

function callbackQuestion(prompts: HandoverPrompts): Question {
  return {
    slot: 'callback',
    expects: { kind: 'yes-no' },
    secret: false,
    prompt: prompts.offerCallback,
    reprompt: prompts.offerCallback,
    mustBeHeard: false,
  };
}

function done(result: ActionResult): ActionStep {
  return { kind: 'done', result };
}

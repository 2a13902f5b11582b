import type { Logger } from '../../core/log.ts';
import type { Bot } from '../bot/bots.ts';
import { GREETING_HINTS } from '../bot/greeting-hints.ts';
import type { CallDeps, CallOpening } from '../call-deps.ts';
import type { PlacedCall } from '../calls.ts';
import { OutgoingLine } from '../legs/call-line.ts';
import type { Dialler } from '../legs/dialler.ts';
import { openingFacts } from '../record/call-rows.ts';
import { normaliseNumber } from '../record/caller-number.ts';
import type { EndCause } from '../record/outcome.ts';
import type { SessionRecord } from '../record/records.ts';
import type { ClaimedOrder } from './order.ts';
import type { OrderCall } from './order-desk.ts';
import { RIGHT_PARTY, RightPartyDesk } from './right-party-desk.ts';
import type { AttemptResult } from './settle.ts';
import { wordsFor } from './words.ts';

export interface OutboundCallerOptions {
  dialler: Dialler;
  /** The bot of this name; undefined: there is none (any more). */
  botNamed(name: string): Bot | undefined;
  place(opening: CallOpening): PlacedCall;
  deps: Pick<CallDeps, 'time' | 'recognizer' | 'synthesizer' | 'model'>;
  /** Name of the action that verifies customers, where there is one. */
  verifyAction: string | undefined;
  log: Logger;
}

/** The last words to somebody else may take this long. */
const GOODBYE_MS = 10_000;
/** Of the order's variables: the number of the customer it is for. */
const CUSTOMER_NUMBER = 'customer_number';

/** Makes the calls of orders: one order, one line, one bot that knows what it calls for. */
export class OutboundCaller {
  readonly #o: OutboundCallerOptions;

  constructor(options: OutboundCallerOptions) {
    this.#o = options;
  }

  /** Makes the call of the order's last attempt. Never throws. */
  call(order: ClaimedOrder): OrderCall {
    const answered = Promise.withResolvers<void>();
    const bot = this.#o.botNamed(order.request.bot);
    if (bot?.profile.outbound === undefined) return never('no-such-bot');
    let placed: PlacedCall | undefined;
    try {
      placed = this.#o.place(this.#opening(order, bot, () => placed, answered.resolve));
    } catch (error) {
      this.#o.log.info({ err: error, order_id: order.orderId }, 'no room for a call out');
      return { answered: answered.promise, result: Promise.resolve(undefined), cancel: () => undefined };
    }
    const { call, done } = placed;
    return {
      answered: answered.promise,
      result: done.then((cause) => resultOf(cause, call.record)),
      cancel: () => {
        if (call.record.answerTime === undefined) call.hangup('cancelled');
      },
    };
  }

  #opening(order: ClaimedOrder, bot: Bot, placed: () => PlacedCall | undefined, onAnswered: () => void): CallOpening {
    const { dialler, deps, verifyAction, log } = this.#o;
    const { to, gateway, ringMs, variables } = order.request;
    const { sessionId } = order.attempts.at(-1)!;
    const { profile, manner, purpose } = wordsFor(bot.profile, bot.profile.outbound!, order.request);
    const { greeting } = profile.prompts;
    const onMachine = order.request.onMachine ?? manner.onMachine;
    // Made while it rings: nobody who picks up waits for it.
    const first = manner.rightParty === undefined ? greeting : `${greeting} ${manner.rightParty}`;
    deps.synthesizer
      .warm([first], { voice: profile.voice })
      .catch((error) => log.debug({ err: error }, 'greeting not prepared'));
    if (onMachine !== 'go-on') deps.recognizer.prepare?.(GREETING_HINTS);
    const customerNumber = variables[CUSTOMER_NUMBER];
    return {
      line: new OutgoingLine(dialler, { to, gateway, ringMs }, sessionId),
      bot: {
        profile,
        hintsFor: bot.hintsFor,
        hintsForPerson: bot.hintsForPerson,
        openDesk: (call) =>
          new RightPartyDesk({
            desk: bot.openDesk(call),
            greeting,
            question: manner.rightParty,
            verify:
              manner.verify && verifyAction !== undefined
                ? {
                    action: verifyAction,
                    arguments: customerNumber === undefined ? {} : { [CUSTOMER_NUMBER]: customerNumber },
                  }
                : undefined,
            purpose,
            onWrongParty: () => placed()?.call.bidGoodbye('wrong-party', GOODBYE_MS, manner.wrongParty),
            onNotVerified: () => placed()?.call.bidGoodbye('bot-goodbye', GOODBYE_MS, manner.notVerified),
            onEvent: (event) => call.onEvent(event),
          }),
      },
      record: {
        sessionId,
        callerPhone: '',
        callerIdentity: '',
        calledNumber: to,
        direction: 'OUTBOUND',
        sipCallId: '',
        trunk: gateway,
        orderId: order.orderId,
        ...openingFacts(profile, deps),
      },
      customerPhone: normaliseNumber(to),
      begin: RIGHT_PARTY,
      screening: onMachine === 'go-on' ? undefined : { onMachine, message: manner.message },
      onAnswered,
    };
  }
}

function never(outcome: 'no-such-bot'): OrderCall {
  const result: AttemptResult = { outcome, answered: false };
  return { answered: new Promise(() => undefined), result: Promise.resolve(result), cancel: () => undefined };
}

function resultOf(outcome: EndCause, { answerTime, answeredBy, trunk }: SessionRecord): AttemptResult {
  return { outcome, answered: answerTime !== undefined, answeredBy, gateway: trunk };
}

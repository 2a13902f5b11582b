import { fileURLToPath } from 'node:url';
import { HttpBankClient } from '../../src/banking/bank-client.ts';
import type { ActionCatalogue } from '../../src/banking/declaration.ts';
import { BankingDesk } from '../../src/banking/desk.ts';
import type { DeskEvent } from '../../src/banking/ledgered-call.ts';
import { loadActions } from '../../src/banking/load-actions.ts';
import { createLogger, type Logger } from '../../src/core/log.ts';
import type { ActionResult, ActionStep, Question } from '../../src/dialogue/questions/action-desk.ts';
import { MemoryLedger } from '../support/memory-ledger.ts';
import { API_KEY } from './bank-process.ts';

const ACTIONS = fileURLToPath(new URL('../../src/banking/actions/demo-bank.yaml', import.meta.url));

export interface CallOptions {
  phone?: string;
  sessionId?: string;
  ledger?: MemoryLedger;
  /** Total time for a call of the bank, ms. */
  timeoutMs?: number;
  catalogue?: ActionCatalogue;
}

/** One call at the desk, with everything that it leaves behind. */
export class CallAtTheDesk {
  readonly desk: BankingDesk;
  readonly ledger: MemoryLedger;
  readonly events: DeskEvent[] = [];
  readonly steps: ActionStep[] = [];
  readonly log: { text: string } = { text: '' };
  #requests = 0;

  constructor(bankUrl: string, options: CallOptions = {}) {
    const logger = loggerInto(this.log);
    const catalogue = options.catalogue ?? loadActions(ACTIONS);
    this.ledger = options.ledger ?? new MemoryLedger();
    this.desk = new BankingDesk({
      sessionId: options.sessionId ?? crypto.randomUUID(),
      callerPhone: options.phone,
      correlationId: 'corr-1',
      actions: { ...catalogue, bank: { ...catalogue.bank, timeoutMs: options.timeoutMs ?? 5000 } },
      bank: new HttpBankClient({ baseUrl: bankUrl, apiKey: API_KEY, log: logger }),
      ledger: this.ledger,
      log: logger,
      onEvent: (event) => this.events.push(event),
    });
  }

  /** Asks for an action and gives the answers one after the other; returns the last step. */
  async ask(name: string, args: Record<string, unknown> = {}, answers: readonly string[] = []): Promise<ActionStep> {
    const id = `request-${++this.#requests}`;
    let step = this.#keep(await this.desk.request(id, name, args));
    for (const answer of answers) step = this.#keep(await this.desk.answer(id, answer));
    return step;
  }

  answer(value: string): Promise<ActionStep> {
    return this.desk.answer(`request-${this.#requests}`, value).then((step) => this.#keep(step));
  }

  withdraw(): Promise<void> {
    return this.desk.withdraw(`request-${this.#requests}`);
  }

  get lastId(): string {
    return `request-${this.#requests}`;
  }

  #keep(step: ActionStep): ActionStep {
    this.steps.push(step);
    return step;
  }
}

export function loggerInto(sink: { text: string }): Logger {
  return createLogger({
    level: 'trace',
    destination: {
      write: (line: string) => {
        sink.text += line;
      },
    },
  });
}

export function questionOf(step: ActionStep): Question {
  if (step.kind !== 'ask') throw new Error(`expected a question, but: ${JSON.stringify(step)}`);
  return step.question;
}

export function resultOf(step: ActionStep): ActionResult {
  if (step.kind !== 'done') throw new Error(`expected a result, but: ${JSON.stringify(step)}`);
  return step.result;
}

import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { HistoryItem, LanguageModel, ReplyPart, ReplyRequest } from '../models/language-model.ts';
import { type Action, AGENT_ACTION } from '../questions/action-desk.ts';
import { MISHEARD } from '../questions/meaning.ts';
import { changesUnasked } from '../requests/certainty.ts';
import { type Reading, type Request, type RequestReader, readerOf } from '../requests/request-reader.ts';
import type { SmallTalk } from '../requests/small-talk.ts';
import { hasMoreToCome, saidInPassing, saidUnclearly } from './notes.ts';
import {
  type DoneAction,
  lastIndexOf,
  lastSaid,
  missesBefore,
  resultsSinceCaller,
  untoldResults,
  wasTold,
} from './past.ts';
import * as phrases from './phrases.ts';

export interface ScriptedDialogueOptions {
  /** Makes the ids of actions. Default random UUIDs. */
  newId?: () => string;
}

/** Not offered when the caller asks what there is. */
const UNADVERTISED: ReadonlySet<string> = new Set([AGENT_ACTION, 'verify_customer', 'request_callback']);
/** Results after which a person may help where we cannot. */
const PERSON_MAY_HELP = new Set([
  'not-verified',
  'bank-unavailable',
  'bank-refused',
  'unknown-outcome',
  'ledger-unavailable',
]);
const MISSES_BEFORE_OFFER = 3;

/**
 * The dialogue that needs no language model: it conducts the conversation from the actions' declarations and examples
 * alone. It keeps nothing between replies, everything is read from the history, so it can take over from another
 * engine in mid-call, even in mid-turn. It never fails.
 */
export class ScriptedDialogue implements LanguageModel {
  readonly name = 'scripted';
  readonly tellsResultsAsGiven = true;
  readonly #newId: () => string;

  constructor(options: ScriptedDialogueOptions = {}) {
    this.#newId = options.newId ?? randomUUID;
  }

  async *reply(request: ReplyRequest, signal: AbortSignal): AsyncGenerator<ReplyPart, void, void> {
    for (const part of this.#decide(request)) {
      if (signal.aborted) return;
      yield part;
    }
  }

  health(): Promise<{ ok: boolean; detail?: string }> {
    return Promise.resolve({ ok: true });
  }

  #decide({ history, actions }: ReplyRequest): ReplyPart[] {
    const moment: Moment = { history, actions, reader: readerOf(actions) };
    const last = history.findLast((item) => item.role !== 'system');
    switch (last?.role) {
      case 'caller':
        return this.#onCaller(moment, last.text);
      case 'action':
        return this.#onResults(moment, resultsSinceCaller(history));
      case 'assistant':
        return this.#onNoAnswer(moment);
      default:
        return [text(phrases.HOW_CAN_I_HELP)];
    }
  }

  // --- the caller spoke ----------------------------------------------------------------------------------------

  #onCaller(moment: Moment, said: string): ReplyPart[] {
    const reading = moment.reader.read(said);
    const untold = untoldResults(moment.history, moment.actions);
    if (untold.length > 0) {
      const news = untold.map(({ result }) => result.say).join(' ');
      if (asksForNews(reading, untold)) return [text(news)];
      const parts = this.#answer(moment, reading);
      const [first, ...rest] = parts;
      if (first?.type === 'speech-rate') return [first, text(news)];
      return first?.type === 'text' ? [text(`${news} ${first.text}`), ...rest] : [text(news), ...parts];
    }
    return this.#answer(moment, reading);
  }

  #answer(moment: Moment, reading: Reading): ReplyPart[] {
    switch (reading.kind) {
      case 'requests':
        return this.#onRequests(moment, reading.requests);
      case 'talk':
        return this.#talk(moment, reading.id);
      case 'yes':
        return this.#onYes(moment);
      case 'no':
        return this.#onNo(moment);
      case 'maybe':
      case 'unclear':
        return this.#onUnclear(moment, reading);
    }
  }

  #onRequests({ history, actions, reader }: Moment, requests: readonly Request[]): ReplyPart[] {
    const named = requests.flatMap(({ name }) => actions.find((action) => action.name === name) ?? []);
    const change = saidInPassing(history)
      ? named.slice(0, 1).find(({ effect }) => effect === 'change')
      : saidUnclearly(history) && named.find(changesUnasked);
    if (change) return [text(phrases.didYouMean(phrases.nameOf(change, (name) => reader.exampleOf(name))))];
    return requests.map((request) => this.#ask(request));
  }

  #talk(moment: Moment, id: SmallTalk): ReplyPart[] {
    // Not where a question of ours follows anyway.
    const whatNow = hasMoreToCome(moment.history) ? [] : [phrases.WHAT_CAN_I_DO];
    const asked = phrases.askedAnythingElse(lastSaid(moment.history)?.text ?? '');
    switch (id) {
      case 'hello':
        return [text(`Hello. ${phrases.HOW_CAN_I_HELP}`)];
      case 'hear':
        return [text([phrases.I_HEAR_YOU, ...whatNow].join(' '))];
      case 'listening':
        return whatNow.map((question) => text(question));
      case 'who':
        return [text([phrases.whoIAm(this.#hasAgent(moment)), ...whatNow].join(' '))];
      case 'help':
        return [text([this.#offers(moment), ...whatNow].join(' '))];
      case 'repeat':
        return [text(this.#again(moment))];
      case 'slower':
        return [{ type: 'speech-rate', rate: id }];
      case 'faster':
      case 'normal':
        return this.#onFaster(moment, id);
      case 'thanks':
        return [text(asked ? phrases.WELCOME : `${phrases.WELCOME} ${phrases.followUp(1)}`)];
      case 'goodbye':
        if (saidInPassing(moment.history) || saidUnclearly(moment.history)) return [text(phrases.SHALL_I_END)];
        return [text(phrases.GOODBYE), { type: 'end-call' }];
      case 'wait':
        return [text(phrases.TAKE_YOUR_TIME)];
      case 'never-mind':
        return [text(`${phrases.ALL_RIGHT} ${phrases.WHAT_ELSE}`)];
    }
  }

  /** Whoever cuts in with "faster" wants the rest; after a whole answer it need not be heard twice. */
  #onFaster({ history }: Moment, rate: 'faster' | 'normal'): ReplyPart[] {
    const change: ReplyPart = { type: 'speech-rate', rate };
    return lastSaid(history)?.interrupted ? [change] : [change, text(`${phrases.ALL_RIGHT} ${phrases.WHAT_CAN_I_DO}`)];
  }

  #again({ history, actions, reader }: Moment): string {
    const caller = lastIndexOf(history, 'caller');
    const told = resultsSinceCaller(history.slice(0, caller)).filter(({ result }) => result.code !== 'cancelled');
    const news = told.map(({ result }) => result.say.trim()).filter(Boolean);
    if (news.length > 0) return news.join(' ');
    const said = lastSaid(history.slice(0, caller));
    if (said !== undefined && !said.interrupted) return said.text;
    return `${phrases.whatIOffer(this.#advertised(actions), (name) => reader.exampleOf(name), false)} ${phrases.WHAT_CAN_I_DO}`;
  }

  #onYes(moment: Moment): ReplyPart[] {
    const { history, reader } = moment;
    const question = lastSaid(history)?.text ?? '';
    if (question.endsWith(phrases.SHALL_I_END)) return [text(phrases.GOODBYE), { type: 'end-call' }];
    if (phrases.offeredAgent(question) && this.#hasAgent(moment))
      return [this.#ask({ name: AGENT_ACTION, arguments: {} })];
    if (phrases.askedForMeaning(question)) {
      const meant = this.#meant(moment, question);
      if (meant !== undefined) return [this.#ask(meant)];
    }
    // Another engine may have offered something in its own words just before we took over.
    const offered = /[^.!?]*\?\s*$/.exec(question)?.[0];
    const request = offered === undefined || phrases.askedAnythingElse(offered) ? undefined : reader.requestIn(offered);
    if (request !== undefined) return [this.#ask(request)];
    return [text(question === '' ? phrases.HOW_CAN_I_HELP : `${phrases.ALL_RIGHT} ${phrases.WHAT_CAN_I_DO}`)];
  }

  /** Which action "did you mean" named, with what the caller had already said about it. */
  #meant({ history, actions, reader }: Moment, question: string): Request | undefined {
    const action = actions.find((one) =>
      question.includes(`: ${phrases.nameOf(one, (name) => reader.exampleOf(name))}?`),
    );
    if (action === undefined) return undefined;
    const before = history[lastIndexOf(history, 'caller', lastIndexOf(history, 'caller'))];
    const reading = before?.role === 'caller' ? reader.read(before.text) : undefined;
    if (reading?.kind === 'maybe' && reading.request.name === action.name) return reading.request;
    return { name: action.name, arguments: {} };
  }

  #onNo({ history }: Moment): ReplyPart[] {
    const question = lastSaid(history)?.text ?? '';
    const offeredMore = phrases.askedAnythingElse(question) && !phrases.offeredAgent(question);
    if (offeredMore) return [text(phrases.GOODBYE), { type: 'end-call' }];
    return [
      text(`${phrases.ALL_RIGHT} ${phrases.askedForMeaning(question) ? phrases.WHAT_CAN_I_DO : phrases.WHAT_ELSE}`),
    ];
  }

  #onUnclear(moment: Moment, reading: Reading): ReplyPart[] {
    const { history, actions, reader } = moment;
    const misses = 1 + missesBefore(history, reader);
    const agentTried = history.some((item) => item.role === 'action' && item.name === AGENT_ACTION);
    if (misses >= MISSES_BEFORE_OFFER && this.#hasAgent(moment) && !agentTried) {
      // Offered, not done: noise in a room must not order anything.
      return [text(phrases.STILL_LOST)];
    }
    const exampleOf = (name: string) => reader.exampleOf(name);
    if (reading.kind === 'maybe' && !phrases.askedForMeaning(lastSaid(history)?.text ?? '')) {
      const action = actions.find(({ name }) => name === reading.request.name)!;
      return [text(phrases.didYouMean(phrases.nameOf(action, exampleOf)))];
    }
    if (misses >= 2) return [text(phrases.stillUnclear(this.#offers(moment)))];
    const shown = this.#advertised(actions);
    const turn = history.filter((item) => item.role === 'caller').length;
    const example = shown.length === 0 ? '' : exampleOf(shown[turn % shown.length]!.name);
    return [text(phrases.rephrase(example))];
  }

  // --- an action is done ---------------------------------------------------------------------------------------

  #onResults(moment: Moment, results: readonly DoneAction[]): ReplyPart[] {
    const wanted = this.#stillWanted(moment, results);
    if (wanted.length > 0) return wanted.map((request) => this.#ask(request));
    const { history } = moment;
    const told = (item: DoneAction) => wasTold(history, history.indexOf(item) + 1, item.result.say);
    const news = results.filter((item) => item === results.at(-1) || !told(item));
    // Two of a kind may have been refused for one and the same reason.
    const say = [...new Set(news.map(({ result }) => result.say.trim()))].filter(Boolean).join(' ');
    const more = this.#afterResult(moment, results.at(-1)!, say);
    return [text([say, more].filter(Boolean).join(' '))];
  }

  /** What of "where is my card and what is my balance" another engine has left undone. */
  #stillWanted({ history, reader }: Moment, results: readonly DoneAction[]): Request[] {
    const caller = history[lastIndexOf(history, 'caller')];
    if (caller?.role !== 'caller' || results.some(({ result }) => !result.ok)) return [];
    const reading = reader.read(caller.text);
    if (reading.kind !== 'requests' || reading.requests.length < 2) return [];
    const done = results.map(({ name }) => name);
    return reading.requests.filter(({ name }) => {
      const at = done.indexOf(name);
      if (at >= 0) done.splice(at, 1);
      return at < 0;
    });
  }

  #afterResult(moment: Moment, { name, result }: DoneAction, say: string): string {
    if (say.endsWith('?') || (name === AGENT_ACTION && result.ok) || hasMoreToCome(moment.history)) return '';
    if (result.code === 'cancelled') return phrases.WHAT_ELSE;
    if (result.code === MISHEARD) return '';
    if (!result.ok && name !== AGENT_ACTION && PERSON_MAY_HELP.has(result.code) && this.#hasAgent(moment)) {
      return phrases.OFFER_AGENT;
    }
    return phrases.followUp(moment.history.filter((item) => item.role === 'action').length);
  }

  // --- nobody spoke --------------------------------------------------------------------------------------------

  /** We spoke last and are asked again: a result came in meanwhile, or the caller says nothing we can hear. */
  #onNoAnswer(moment: Moment): ReplyPart[] {
    const { history } = moment;
    const results = resultsSinceCaller(history);
    const untold = results.filter(
      (item) => item.result.code !== 'cancelled' && !wasTold(history, history.indexOf(item) + 1, item.result.say),
    );
    if (untold.length > 0) return this.#onResults(moment, untold);
    const note = history.at(-1);
    if (note?.role !== 'system') {
      // All was told, word for word, before we were asked.
      const last = results.at(-1);
      const more = last?.result.mustBeHeard ? this.#afterResult(moment, last, last.result.say) : '';
      return more === '' ? [] : [text(more)];
    }
    if (/not (been )?underst|unintelligible|unclear|not recogni/i.test(note.text)) {
      return this.#onUnclear(moment, { kind: 'unclear' });
    }
    return [text(/silen|nothing/i.test(note.text) ? phrases.STILL_THERE : phrases.WHAT_CAN_I_DO)];
  }

  // --- helpers -------------------------------------------------------------------------------------------------

  #ask({ name, arguments: args }: Request): ReplyPart {
    return { type: 'action', id: this.#newId(), name, arguments: args };
  }

  #hasAgent({ actions }: Moment): boolean {
    return actions.some(({ name }) => name === AGENT_ACTION);
  }

  #advertised(actions: readonly Action[]): Action[] {
    return actions.filter(({ name }) => !UNADVERTISED.has(name));
  }

  #offers(moment: Moment): string {
    const { actions, reader } = moment;
    return phrases.whatIOffer(this.#advertised(actions), (name) => reader.exampleOf(name), this.#hasAgent(moment));
  }
}

interface Moment {
  history: readonly HistoryItem[];
  actions: readonly Action[];
  reader: RequestReader;
}

function text(said: string): ReplyPart {
  return { type: 'text', text: said };
}

/** "What did you say?", "yes, go on", or the same request once more: the news is the answer. */
function asksForNews(reading: Reading, untold: readonly DoneAction[]): boolean {
  if (reading.kind === 'yes' || reading.kind === 'unclear') return true;
  if (reading.kind === 'talk') return reading.id === 'repeat' || reading.id === 'hear' || reading.id === 'hello';
  if (reading.kind !== 'requests' || reading.requests.length > 1) return false;
  const { name, arguments: args } = reading.requests[0]!;
  return untold.some((item) => item.result.ok && item.name === name && isDeepStrictEqual(item.arguments, args));
}

import type { Ms } from '../core/clock.ts';
import type { Heard } from '../media/ports.ts';
import { accountOf } from './account-of-both-ears.ts';
import type { Assistant } from './assistant.ts';
import { UNINTELLIGIBLE } from './caller-line.ts';
import { heardOtherwise } from './heard-otherwise.ts';
import type { Intake, Manner } from './intake.ts';
import type { LeaveTaking } from './leave-taking.ts';
import type { HistoryItem } from './models/language-model.ts';
import type { Action } from './questions/action-desk.ts';
import type { Answering } from './questions/answering.ts';
import type { Errands, OpenQuestion } from './questions/errands.ts';
import type { KeyMenu } from './questions/key-menu.ts';
import type { Keying } from './questions/keying.ts';
import type { Matters } from './questions/matters.ts';
import { isMeant, wasDenied } from './questions/meaning.ts';
import { decided, LIKELY, SURE } from './requests/certainty.ts';
import { askedIn, isHarmless, readerOf } from './requests/request-reader.ts';
import type { Announcer } from './speaking/announcer.ts';
import type { Scribe, Voice } from './speaking/voice.ts';
import type { Turn } from './turn.ts';
import type { CallerPace } from './turn-taking/caller-pace.ts';
import { Doubt } from './turn-taking/doubt.ts';
import { interjectionOf, isRemark } from './turn-taking/interjections.ts';
import { Interruption } from './turn-taking/interruption.ts';
import type { Utterance } from './turn-taking/listener.ts';

export interface HearingOptions {
  assistant: Assistant;
  announcer: Announcer;
  answering: Answering;
  errands: Errands;
  keying: Keying;
  leaveTaking: LeaveTaking;
  matters: Matters;
  menu: KeyMenu;
  pace: CallerPace;
  history: HistoryItem[];
  scribe: Scribe;
  voice: Voice;
  intake: Intake;
  actions: readonly Action[];
  now(): Ms;
}

/** Whoever says so little over the bot, in so short a time, may only have cleared their throat. */
const PASSING_WORDS = 3;
const PASSING_MS: Ms = 1200;

/** Echo of a large room, and a loudspeaker's delay. */
const REMNANT_MS: Ms = 400;

/**
 * What comes of the caller's utterances: an interruption or an aside while the bot speaks, an answer to what it asked,
 * a request, or nothing.
 */
export class Hearing {
  readonly #o: HearingOptions;
  readonly #interruption = new Interruption();
  readonly #doubt = new Doubt();
  /** The last packet with sound of the turn before. */
  #soundUntil: Ms = Number.NEGATIVE_INFINITY;

  constructor(options: HearingOptions) {
    this.#o = options;
  }

  // --- over the bot --------------------------------------------------------------------------------------------

  speechStart(): void {
    this.#interruption.speechStart();
  }

  speechEnd(at: Ms): void {
    this.#interruption.speechEnd(at);
  }

  partial(text: string, now: Ms): void {
    this.#interruption.partial(text, now);
  }

  /** The media worker has paused `turn` for the caller's voice, which began `at`; where it `echoes`, perhaps for the bot's. */
  bargeIn(turn: Turn, { heard, at, echoes }: { heard: Heard; at: Ms; echoes: boolean }): void {
    if (echoes) this.#interruption.doubtRepeats();
    this.#interruption.begin(turn, heard, at, this.#choiceIsOpen || turn.asksNow(heard.text));
  }

  /** Yes, no, or one of a few things is waited for. */
  get #choiceIsOpen(): boolean {
    const expects = this.#o.errands.open?.question.expects.kind;
    return expects === 'yes-no' || expects === 'choice';
  }

  /** When the verdict on a pause may change if nothing else happens, monotonic ms. */
  deadline(): Ms | undefined {
    return this.#interruption.deadline();
  }

  /** Interrupts the bot, or lets it go on, when that is clear by now. */
  due(now: Ms): void {
    const judged = this.#interruption.judge(this.#o.assistant.turn, now);
    if (judged?.kind === 'interrupt') this.#o.assistant.interrupt(judged.at, judged.heard);
    if (judged?.kind === 'resume') this.#resume(judged.turn, judged.at, judged.over);
  }

  /** Whatever is being said over the bot means nothing any more. */
  forget(): void {
    this.#interruption.forget();
  }

  turnOver(heard: Heard): void {
    this.#interruption.forget();
    this.#soundUntil = heard.lastSoundAt ?? heard.lastSentAt ?? this.#soundUntil;
  }

  // --- said ----------------------------------------------------------------------------------------------------

  onUtterance(first: Utterance): void {
    const { actions, announcer, answering, assistant, errands, intake, keying, menu, scribe } = this.#o;
    const { turn } = assistant;
    const question = errands.open?.question;
    const utterance = heardOtherwise(first, { question, over: turn !== undefined, actions });
    const account = accountOf(first, utterance, question);
    if (account) scribe.event('heard-twice', account);
    const sure = this.words(utterance);
    const open = this.#question(utterance);
    const said = sure || (turn ? '' : open ? answering.believed(open, utterance) : this.#believed(utterance));
    if (announcer.protecting) {
      const aside = said === '' || (!open && interjectionOf(said) === 'backchannel');
      if (!aside) announcer.hold(() => this.onUtterance(utterance));
      return;
    }
    const aside = turn ? this.#isAside(turn, said, utterance) : said === '' && this.#isRemnant(utterance);
    if (aside) {
      scribe.event('backchannel', { text: said });
      return;
    }
    if (keying.accompaniedBy(utterance)) {
      scribe.event('speech-beside-keys');
      return;
    }
    if (sure !== '') this.#doubt.settled();
    if (open) {
      answering.answered(open, said, 'speech', utterance);
      return;
    }
    const text =
      [announcer.takeOwed(), this.#unanswered(turn, utterance.startedAt), said].filter(Boolean).join(' ') ||
      UNINTELLIGIBLE;
    const overBot = turn?.audible === true || this.#interruption.wasBy(utterance.startedAt);
    const inPassing = overBot && isPassing(said, utterance);
    assistant.interrupt(utterance.startedAt);
    if (!inPassing && text === (said || UNINTELLIGIBLE) && this.#doubted(utterance, said !== '')) return;
    intake.note(said || UNINTELLIGIBLE, 'speech', utterance);
    if (text === UNINTELLIGIBLE) menu.missed(utterance.noisy);
    else menu.understood();
    if (menu.sentences) {
      assistant.speak(menu.sentences, utterance);
      return;
    }
    intake.request(text, utterance, this.#manner(said, inPassing, utterance));
  }

  /** The open question; when it is whether something was meant, and another thing is said, it is left for that. */
  #question({ text, rejected }: Utterance): OpenQuestion | undefined {
    const { actions, assistant, errands, matters } = this.#o;
    const { open } = errands;
    if (!rejected || open?.about.unsure === undefined || assistant.turn) return open;
    const asked = askedIn(text, actions);
    if (asked.length !== 1 || isMeant(asked[0]!, open.about)) return open;
    matters.leave(open);
    return undefined;
  }

  /**
   * Something was asked for, perhaps: the caller is asked about it, or told what was understood before it is done. Nobody is
   * asked about the same thing again who has said that it was another.
   */
  #doubted(utterance: Utterance, believed: boolean): boolean {
    const { actions, history, intake, menu } = this.#o;
    const how = { ...utterance, rejected: !believed };
    const { course, asked, isPart } = decided(askedIn(utterance.text, actions), how, actions);
    if (course === 'do' || course === 'none' || (!believed && wasDenied(history, asked[0]!))) return false;
    const words = isPart ? readerOf(actions).exampleOf(asked[0]!.name) : utterance.text;
    if (course === 'do-and-say') menu.understood();
    intake.doubtful(asked[0]!, words, course, utterance);
    return true;
  }

  /** How the language model is told that it was said. */
  #manner(said: string, inPassing: boolean, { confidence }: Utterance): Manner {
    if (inPassing) return 'in-passing';
    return said === '' || confidence >= SURE || askedIn(said, this.#o.actions).length === 1 ? 'plain' : 'unclear';
  }

  /** What was understood for sure; '' for nothing. */
  words({ text, rejected, startedAt }: Utterance): string {
    if (!rejected) return text;
    if (!this.#o.assistant.turn) return '';
    // Over the bot even a doubtful "stop" is one, also when nothing is left of it in the end.
    if (interjectionOf(text) === 'halt') return text;
    return this.#interruption.halted(startedAt) ? 'stop' : '';
  }

  /**
   * What nobody is sure of, when it is a request and the last one was the same: whoever was not understood says it again;
   * or in noise, when it does no harm.
   */
  #believed({ text, rejected, confidence, noisy }: Utterance): string {
    if (rejected && noisy && confidence >= LIKELY && isHarmless(text, this.#o.actions)) return text;
    const asked = rejected ? askedIn(text, this.#o.actions) : [];
    if (asked.length === 0) return '';
    return this.#doubt.again(JSON.stringify(asked)) ? text : '';
  }

  /** A noise or an "mhm" while the bot speaks or thinks: nothing that wants an answer. The bot goes on. */
  #isAside(turn: Turn, said: string, utterance: Utterance): boolean {
    const over = this.#interruption.of(utterance.startedAt);
    if (!over && said === '') return !utterance.rejected;
    // Said into a breath of the bot's it paused nothing, and is an aside all the same.
    const anyWordAnswers = over ? over.anyWordAnswers : !turn.audible || this.#choiceIsOpen || turn.asksYesNo;
    const meansNothing = interjectionOf(said) === 'backchannel' || (isBrief(utterance) && isRemark(said));
    const aside = (said === '' && !over?.insists) || (!anyWordAnswers && meansNothing);
    const heard = said === '' && utterance.rejected ? 'unknown' : 'backchannel';
    if (aside && over?.pending) this.#resume(over.pending, utterance.startedAt, heard);
    return aside;
  }

  /**
   * Sounds without words that began while the bot was heard and hardly outlast it are its echo or the caller's last
   * "mm"; so is whatever cannot be understood behind a goodbye. An open question is asked again rather.
   */
  #isRemnant({ startedAt, endedAt }: Utterance): boolean {
    if (this.#o.leaveTaking.open) return true;
    return !this.#o.errands.open && startedAt < this.#soundUntil && endedAt < this.#soundUntil + REMNANT_MS;
  }

  #resume(turn: Turn, spokeAt: Ms, over: 'unknown' | 'backchannel'): void {
    const now = this.#o.now();
    this.#interruption.wentOn(turn, now, over);
    this.#o.scribe.event('barge-in-ignored', { afterMs: Math.round(now - spokeAt) });
    this.#o.voice.resume(turn.id);
  }

  /**
   * The caller went on before anything of the answer was heard: the endpoint was wrong, and what was said before is
   * the beginning of what is said now. Takes it back from the history, with what was read at the bank for it; a change
   * that is under way stays.
   */
  #unanswered(turn: Turn | undefined, now: Ms): string {
    const { errands, history, pace } = this.#o;
    if (!turn?.answers || turn.audible) return '';
    const at = history.findLastIndex((item) => item.role !== 'action');
    const last = history[at];
    if (last?.role !== 'caller' || !errands.takeBack(at + 1)) return '';
    pace.cutOff(now - turn.answers.endedAt);
    history.pop();
    return last.text === UNINTELLIGIBLE ? '' : last.text;
  }
}

function isPassing(said: string, utterance: Utterance): boolean {
  return said !== '' && said.split(' ').length <= PASSING_WORDS && isBrief(utterance);
}

function isBrief({ startedAt, endedAt }: Utterance): boolean {
  return endedAt - startedAt < PASSING_MS;
}

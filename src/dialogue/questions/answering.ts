import type { Ms } from '../../core/clock.ts';
import { cardinalWords } from '../../sentences/number-words.ts';
import type { Assistant } from '../assistant.ts';
import { type CallerSource, maskedAnswer } from '../caller-line.ts';
import type { Intake } from '../intake.ts';
import { changesUnasked, LIKELY, SURE } from '../requests/certainty.ts';
import { askedIn } from '../requests/request-reader.ts';
import type { Prompts } from '../speaking/prompts.ts';
import type { Utterance } from '../turn-taking/listener.ts';
import type { Action, Question } from './action-desk.ts';
import { type Answer, readAnswer } from './answers.ts';
import { type Aside, asideIn } from './asides.ts';
import type { Errands, OpenQuestion } from './errands.ts';
import type { Matters } from './matters.ts';
import { isMeant } from './meaning.ts';

export interface AnsweringOptions {
  assistant: Assistant;
  errands: Errands;
  matters: Matters;
  prompts: Prompts;
  /** What is no answer is a request of its own. */
  intake: Intake;
  actions: readonly Action[];
  now(): Ms;
}

interface Reading {
  answer: Answer;
  aside?: Aside | undefined;
}

const MISSES_BEFORE_GIVING_UP = 3;
/** A yes or a no is short, and lost in noise: after so many the keypad is offered, and then it is asked once more. */
const MISSES_BEFORE_KEYS = 2;
const MISSES_BY_KEYS = 4;

/** What the caller's words lead to while a question is open. */
export class Answering {
  readonly #o: AnsweringOptions;
  /** A yes came before the read-back was heard. */
  #earlyYes = false;

  constructor(options: AnsweringOptions) {
    this.#o = options;
  }

  answered(open: OpenQuestion, said: string, source: CallerSource, utterance?: Utterance): void {
    const { assistant, errands, prompts } = this.#o;
    const { question } = open;
    const { answer, aside } = this.#reading(open, said, source, utterance);
    if (aside && aside.kind !== 'answer-and-more') {
      this.#setAside(aside, open, said, utterance);
      return;
    }
    // A yes before the read-back was heard is no yes; it is asked again, once the prompt is over.
    const early = answer.kind === 'value' && answer.value !== 'no' && (assistant.turn?.mustBeHeard || isUnheard(open));
    if (early || (answer.kind === 'unclear' && assistant.turn?.mustBeHeard)) {
      this.#earlyYes = early;
      if (aside) this.#o.matters.postpone(said);
      if (!assistant.turn) this.turnOver();
      return;
    }
    // The number comes next; meanwhile nobody is hurried.
    if (answer.kind === 'acknowledged' && !assistant.turn) {
      this.#o.intake.note(said, source, utterance);
      return;
    }
    assistant.interrupt(utterance?.startedAt ?? this.#o.now());
    const isAnswer = answer.kind === 'value' || answer.kind === 'partial' || answer.kind === 'unclear';
    this.#o.intake.note(maskedAnswer(question, !isAnswer, said), source, utterance);
    switch (answer.kind) {
      case 'value':
        if (aside) this.#o.matters.postpone(said);
        assistant.proceed(errands.answer(open, answer.value), open, utterance);
        return;
      case 'partial':
        open.digits = answer.digits;
        assistant.listenFor(question, answer.digits.length);
        assistant.speak([goOnWith(prompts.goOn, question, answer.digits.length)], utterance);
        return;
      case 'rate':
        assistant.changeRate(answer.rate);
        assistant.ask(question, question.prompt, utterance);
        return;
      case 'repeat':
        assistant.ask(question, question.prompt, utterance);
        return;
      case 'acknowledged':
      case 'wait':
        assistant.speak([prompts.takeYourTime], utterance);
        return;
      case 'cancel':
        this.#o.matters.leaveAll(open);
        assistant.speak([prompts.cancelled], utterance);
        return;
      case 'other':
        this.#o.matters.leaveAll(open);
        this.#o.intake.request(said, utterance);
        return;
      case 'unclear':
        open.digits = '';
        open.misses++;
        this.#askAgain(open, utterance);
        return;
    }
  }

  #reading(open: OpenQuestion, said: string, source: CallerSource, utterance?: Utterance): Reading {
    const { question, about } = open;
    const answer = readAnswer(question, said, open.digits);
    if (source !== 'speech') return { answer };
    // Digits that were misheard must not order anything, nor end the call.
    if (question.expects.kind === 'digits' && (utterance?.confidence ?? 1) < SURE && this.#leadsAway(answer, said)) {
      return { answer: { kind: 'unclear' } };
    }
    const aside = asideIn(question, said, open.digits, about, (text) => askedIn(text, this.#o.actions));
    if (aside?.kind === 'same' && about.unsure !== undefined) return { answer: { kind: 'value', value: 'yes' } };
    return { answer, aside };
  }

  /** Would the question be left for it, and something changed? */
  #leadsAway({ kind }: Answer, said: string): boolean {
    const { actions } = this.#o;
    const changes = (name: string) => actions.some((one) => one.name === name && one.effect === 'change');
    if (kind === 'other' || kind === 'cancel') return true;
    return kind !== 'value' && askedIn(said, actions).some(({ name }) => changes(name));
  }

  #askAgain(open: OpenQuestion, utterance: Utterance | undefined): void {
    const { assistant, matters, prompts } = this.#o;
    const { question, misses } = open;
    const yesNo = question.expects.kind === 'yes-no';
    if (misses >= (yesNo ? MISSES_BY_KEYS : MISSES_BEFORE_GIVING_UP)) {
      matters.leaveAll(open);
      assistant.speak([prompts.giveUp], utterance);
      return;
    }
    // what is not read back is asked with the keys at once where it is noisy (rounds.ts)
    const keysByNow = utterance?.noisy ? question.mustBeHeard : misses >= MISSES_BEFORE_KEYS;
    const byKeys = yesNo && keysByNow ? ` ${prompts.yesNoByKeys}` : '';
    assistant.ask(question, question.reprompt + byKeys, utterance);
  }

  /**
   * An answer of which nobody was sure, when it is what nobody was sure of the last time: mistakes differ from one time to
   * the next; or when nothing is changed for it, and it is likely. A yes that changes something is not believed so. ''
   * for none.
   */
  believed({ question, doubt, about }: OpenQuestion, { text, rejected, confidence }: Utterance): string {
    if (!rejected) return '';
    const { actions } = this.#o;
    const asksMeaning = about.unsure !== undefined;
    if (asksMeaning && askedIn(text, actions).some((one) => isMeant(one, about))) return text;
    const guess = readAnswer(question, text);
    if (guess.kind !== 'value') return '';
    const unasked = actions.some((action) => action.name === about.name && changesUnasked(action));
    const changes = question.mustBeHeard || (asksMeaning && unasked);
    if (changes && guess.value !== 'no') return '';
    const settlesNothing = question.mustBeHeard || asksMeaning;
    return (settlesNothing && confidence >= LIKELY) || doubt.again(guess.value) ? text : '';
  }

  /** The caller asks for something while a question is open; that is no answer, and no wrong one. */
  #setAside(aside: Aside, open: OpenQuestion, said: string, utterance: Utterance | undefined): void {
    const { assistant } = this.#o;
    // A read-back is not cut for it.
    if (assistant.turn?.mustBeHeard && aside.kind !== 'instead') {
      if (aside.kind === 'besides') {
        this.#o.intake.note(said, 'speech', utterance);
        this.#o.matters.postpone(said);
      }
      return;
    }
    assistant.interrupt(utterance?.startedAt ?? this.#o.now());
    this.#o.intake.note(said, 'speech', utterance);
    if (aside.kind === 'same') {
      assistant.ask(open.question, open.question.prompt, utterance);
      return;
    }
    // Who asks for something else when asked whether they meant this did not mean it.
    if (aside.kind === 'besides' && open.about.unsure === undefined) this.#o.matters.putOff(open);
    else this.#o.matters.leave(open);
    this.#o.intake.request(said, utterance);
  }

  /** A turn is over: asks again what was answered too early. */
  turnOver(): void {
    const { assistant, errands } = this.#o;
    const { open } = errands;
    if (this.#earlyYes && open && !assistant.turn) {
      const { question } = open;
      assistant.ask(question, isUnheard(open) ? question.prompt : question.reprompt);
    }
    this.#earlyYes = false;
  }
}

/** "I have four of six digits": a secret is not repeated, nor is a number that may have been misheard. */
function goOnWith(prompt: string, { expects }: Question, given: number): string {
  const length = expects.kind === 'digits' ? expects.length : given;
  return prompt.replaceAll('{given}', cardinalWords(given)).replaceAll('{length}', cardinalWords(length));
}

/** A change that was not read back to its end must not be agreed to. */
function isUnheard({ question, heard }: OpenQuestion): boolean {
  return question.mustBeHeard && !heard;
}

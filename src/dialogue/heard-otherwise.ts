import { plainWordsOf } from '../sentences/words.ts';
import { yesNo } from '../sentences/yes-no.ts';
import { type Likely, likeliest, toldApart } from './both-ears.ts';
import type { Action, Question } from './questions/action-desk.ts';
import { type Answer, readAnswer } from './questions/answers.ts';
import { type Reading, readerOf, requestsIn } from './requests/request-reader.ts';
import type { ByOtherEar } from './speaking/voice.ts';
import { interjectionOf } from './turn-taking/interjections.ts';
import type { Utterance } from './turn-taking/listener.ts';

export interface Moment {
  /** What the bot has asked and wants to know. */
  question: Question | undefined;
  /** The bot speaks, or thinks. */
  over: boolean;
  actions: readonly Action[];
}

/** Both ears come to the same: mistakes of two so different engines differ. */
const AGREED = 0.85;
/** How far the second ear must be believed when it alone understood something (mean probability of a word's pieces) … */
const ENOUGH = { fewWords: 0.55, request: 0.7, doubtful: 0.5, toEnd: 0.8, anyWords: 0.75 };
/** … of which half counts as confidence for what is asked about or told before it is done (certainty.ts). */
const HALF = 0.5;
/** An answer, a command or small talk in more words than these is something else in which such a word occurs. */
const FEW_WORDS = 4;
/** So many words are a sentence, whatever it says. */
const SENTENCE = 3;

/** By both ears together: believed; believed as far as it does no harm, or asked about; asked about. */
const BOTH = { sure: 0.65, likely: 0.3, possible: 0.2 };
/** On a quiet line, where what the grammar does not know is mostly something else. */
const IN_QUIET = 0.8;
/** Counts as nothing (certainty.ts), and as what is asked about. */
const NOTHING = 0.01;
const ASKED_ABOUT = 0.1;

/**
 * What the caller said, where another ear, which knows English but not what is waited for, has heard something too
 * (`utterance.otherwise`). In noise, whatever the recogniser thinks of its guess, the likeliest meaning by both (both-ears.ts).
 * Otherwise the recogniser has rejected its guess, and how well sentences fit what the other ear heard comes first, where it
 * was asked. Then that ear is believed when both come to the same; alone when it means something here and is sure enough, the
 * surer the more depends on it; a number never alone. In quiet, and when nothing is asked, a sure sentence counts as said also
 * when it means nothing to the bank: a model may understand it, and staff read it. Otherwise all stays as the recogniser had
 * it. Pure.
 */
export function heardOtherwise(utterance: Utterance, moment: Moment): Utterance {
  const { otherwise, rejected, noisy } = utterance;
  if (otherwise === undefined) return utterance;
  const kind = moment.question?.expects.kind;
  // It wrote nothing, but something may fit all the same.
  if (otherwise.text === '' && (kind !== undefined || otherwise.fits === undefined)) return utterance;
  const weighable = !moment.over && (kind === undefined || kind === 'yes-no');
  if (weighable && noisy) return byBothEars({ ...utterance, otherwise }, moment);
  if (!rejected) return utterance;
  const twice = { ...utterance, otherwise };
  const fitting = weighable && otherwise.fits !== undefined;
  return (fitting ? byFits(twice, moment) : byWords(twice, moment, weighable)) ?? utterance;
}

/** In quiet, of a rejected guess, by the words of the other ear, or by how much alike they sound. */
function byWords(utterance: HeardTwice, moment: Moment, weighable: boolean): Utterance | undefined {
  if (utterance.otherwise.text === '') return undefined;
  const heard = byOtherEar(utterance, moment);
  if (heard !== undefined || !weighable) return heard;
  const likely = likelyIn(utterance, moment);
  return likely && takenInQuiet(likely, utterance, moment);
}

/** The same, by how well sentences fit, which tells more than the words that were written. */
function byFits(utterance: HeardTwice, moment: Moment): Utterance | undefined {
  const likely = likelyIn(utterance, moment);
  const taken = likely && takenInQuiet(likely, utterance, moment);
  if (taken !== undefined || utterance.otherwise.text === '') return taken;
  const heard = byOtherEar(utterance, moment);
  // "What in my mind" is no sentence to be taken for itself where "what is my balance" fits too.
  const means = requestsIn((heard ?? utterance).text, moment.actions).length > 0;
  if (likely === undefined || moment.question !== undefined || means) return heard;
  return askedInQuiet(likely, utterance, moment) ?? heard;
}

/** Where it is so likely that it was said that it may be taken for that on a quiet line. */
function takenInQuiet(likely: Likely, utterance: HeardTwice, moment: Moment): Utterance | undefined {
  return likely.likelihood < IN_QUIET ? undefined : meant(likely, utterance, moment, { rejected: false });
}

/** A request that may have been made, to be asked about. */
function askedInQuiet(likely: Likely, utterance: HeardTwice, moment: Moment): Utterance | undefined {
  if (likely.likelihood < BOTH.likely || requestsIn(likely.text, moment.actions).length !== 1) return undefined;
  return meant(likely, utterance, moment, { rejected: true });
}

function meant(likely: Likely, utterance: HeardTwice, { actions }: Moment, how: { rejected: boolean }): Utterance {
  return {
    ...utterance,
    text: toldApart(likely, actions),
    confidence: likely.likelihood,
    otherwise: undefined,
    ...how,
  };
}

type HeardTwice = Utterance & { otherwise: ByOtherEar };

function byBothEars(utterance: HeardTwice, moment: Moment): Utterance {
  const likely = likelyIn(utterance, moment);
  if (likely === undefined) return utterance;
  const { likelihood } = likely;
  const heard = { ...utterance, text: toldApart(likely, moment.actions), otherwise: undefined };
  if (likelihood < BOTH.possible) {
    return { ...utterance, rejected: true, confidence: NOTHING, otherwise: undefined };
  }
  if (likelihood >= BOTH.sure) return { ...heard, confidence: likelihood, rejected: false };
  const asked = moment.question === undefined && likelihood < BOTH.likely;
  return { ...heard, rejected: true, confidence: asked ? ASKED_ABOUT : likelihood };
}

function likelyIn(utterance: HeardTwice, moment: Moment): Likely | undefined {
  const { question, actions } = moment;
  const meaning = (text: string, reading: Reading) => {
    const answer = question && readAnswer(question, text);
    if (answer !== undefined && answer.kind !== 'unclear') return JSON.stringify(answer);
    return reading.kind === 'unclear' || reading.kind === 'maybe' ? text : JSON.stringify(reading);
  };
  const allowed = (likely: Likely) => isAllowed(likely, utterance, moment);
  return likeliest(utterance, question ? 'yesNo' : 'request', actions, meaning, allowed);
}

/**
 * A yes on which a change hangs must have been believed by the recogniser itself or heard by both ears: "no" of some voices is
 * another's "yeah". What ends a call or leaves a question is not believed of the other ear alone unless it is likely.
 */
function isAllowed(
  { text, agreed, likelihood }: Likely,
  utterance: HeardTwice,
  { question, actions }: Moment,
): boolean {
  const answer = question && readAnswer(question, text);
  if (answer?.kind === 'value' && question!.mustBeHeard && answer.value !== 'no') {
    const other = readAnswer(question!, utterance.otherwise.text);
    return agreed && (!utterance.rejected || (other.kind === 'value' && other.value === answer.value));
  }
  if (agreed || likelihood >= ENOUGH.toEnd) return true;
  if (answer !== undefined) return answer.kind !== 'other' && answer.kind !== 'cancel';
  const reading = readerOf(actions).read(text);
  return reading.kind !== 'talk' || reading.id !== 'goodbye';
}

/** By the other ear's words; undefined when they are not believed. */
function byOtherEar(utterance: HeardTwice, moment: Moment): Utterance | undefined {
  const { otherwise, text } = utterance;
  const agreed = text !== '' && meaningOf(text, moment) === meaningOf(otherwise.text, moment);
  const confidence = agreed ? Math.max(AGREED, otherwise.confidence) : otherwise.confidence;
  const heard = { ...utterance, text: otherwise.text, confidence, otherwise: undefined };
  switch (believed(heard, agreed, moment)) {
    case 'yes':
      return { ...heard, rejected: false };
    case 'perhaps':
      return { ...heard, confidence: confidence * HALF };
    case 'no':
      return undefined;
  }
}

type Belief = 'yes' | 'perhaps' | 'no';

function believed(heard: Utterance, agreed: boolean, moment: Moment): Belief {
  const { text, confidence } = heard;
  if (moment.over) return believedOverBot(heard, agreed, moment);
  if (moment.question !== undefined) {
    const answer = readAnswer(moment.question, text);
    if (answer.kind !== 'unclear') return answerBelieved(answer, heard, agreed, moment.question);
  }
  const reading = readerOf(moment.actions).read(text);
  if (reading.kind === 'unclear' || reading.kind === 'maybe') {
    const sentence = text.split(' ').length >= SENTENCE && confidence >= ENOUGH.anyWords;
    return sentence && !heard.noisy && moment.question === undefined ? 'yes' : 'no';
  }
  return readingBelieved(reading, heard, agreed);
}

/** Over the bot a word or two may be a hum: only what stops it, and what clearly wants something. */
function believedOverBot(heard: Utterance, agreed: boolean, { actions }: Moment): Belief {
  const { text, confidence } = heard;
  if (interjectionOf(text) === 'halt' && isFewWords(text)) return yesIf(agreed || confidence >= ENOUGH.fewWords);
  const reading = readerOf(actions).read(text);
  return reading.kind === 'requests' ? yesIf(agreed || confidence >= ENOUGH.request) : 'no';
}

function answerBelieved(answer: Answer, heard: Utterance, agreed: boolean, { expects, mustBeHeard }: Question): Belief {
  const { text, confidence } = heard;
  if (agreed) return 'yes';
  if (expects.kind === 'digits' && (answer.kind === 'value' || answer.kind === 'partial')) return 'no';
  if (!isFewWords(text)) return 'no';
  // A change hangs on it.
  const yes = mustBeHeard && answer.kind === 'value' && answer.value !== 'no';
  return yesIf(confidence >= (yes || answer.kind === 'other' ? ENOUGH.toEnd : ENOUGH.fewWords));
}

function readingBelieved(reading: Reading, heard: Utterance, agreed: boolean): Belief {
  const { text, confidence } = heard;
  if (agreed) return 'yes';
  if (reading.kind === 'requests') {
    if (confidence >= ENOUGH.request) return 'yes';
    return confidence >= ENOUGH.doubtful ? 'perhaps' : 'no';
  }
  if (!isFewWords(text)) return 'no';
  // "Please bear fine": a yes to nothing that was asked, in some other sentence.
  if (reading.kind === 'yes' && text.split(' ').length >= SENTENCE) return 'no';
  const ends = reading.kind === 'talk' && reading.id === 'goodbye';
  return yesIf(confidence >= (ends ? ENOUGH.toEnd : ENOUGH.fewWords));
}

/** Compared only; unlike for what means nothing. */
function meaningOf(text: string, { question, actions }: Moment): string | symbol {
  const answer = question && readAnswer(question, text);
  if (answer !== undefined && answer.kind !== 'unclear') return JSON.stringify(answer);
  const reading = readerOf(actions).read(text);
  if (reading.kind === 'unclear' || reading.kind === 'maybe') return Symbol(text);
  return JSON.stringify(reading.kind === 'talk' ? reading : { ...reading, yesNo: yesNo(text) });
}

function isFewWords(text: string): boolean {
  return plainWordsOf(text).length <= FEW_WORDS;
}

function yesIf(sure: boolean): Belief {
  return sure ? 'yes' : 'no';
}

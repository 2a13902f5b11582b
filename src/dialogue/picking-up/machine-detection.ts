import type { Ms } from '../../core/clock.ts';
import { type GreetingSoFar, type JudgedAt, machineOdds, spokenOdds } from './greeting-evidence.ts';
import {
  BEGUN_FOR_MS,
  type HeardTone,
  isNobodys,
  type NobodysTone,
  TelephoneTones,
  type ToneMeaning,
} from './telephone-tones.ts';

/** Who or what has picked up, and why it was taken to be that. */
export interface Answerer {
  by: 'person' | 'machine';
  why: 'short-greeting' | 'long-greeting' | 'words' | 'tone' | 'silence' | NobodysTone;
  /** After the first speech; 0 where nobody spoke. */
  afterMs: Ms;
  /** Of a machine that was known by its beep: when that ended. */
  beepAt?: Ms;
}

/** Nobody says anything: people do that when they wait to be spoken to, machines seldom. */
const NOBODY_SPEAKS_MS: Ms = 3500;
/** Speech so short, followed by silence, is a person who waits for an answer. */
const SHORT_MS: Ms = 1900;
const PAUSE_BEHIND_SHORT_MS: Ms = 600;
/** After more has been said the silence must be longer: machines pause between their sentences. */
const PAUSE_BEHIND_LONG_MS: Ms = 800;
/** It is decided 3 s after the first speech at the latest. */
const DECIDE_MS: Ms = 2900;
/** What is not certain then may still be a firm's long greeting: those have ended by now, and a silence follows. */
const LATEST_MS: Ms = 5200;
const PAUSE_BEHIND_FIRM_MS: Ms = 1100;
/** Words that leave no doubt (log odds) decide as soon as they have stood for a moment: first guesses come and go. */
const SURE_ODDS = 4;
const SURE_FOR_MS: Ms = 300;
/** More say nothing new. */
const MAX_PAUSES = 20;

/** What is made of what was heard; log odds, above 0 a machine. */
export interface Judgement {
  odds(greeting: GreetingSoFar): number;
  /** By words alone; `free`: heard in any words. */
  spoken(text: string, free?: string): number;
}

const JUDGEMENT: Judgement = { odds: machineOdds, spoken: spokenOdds };

/**
 * Person or machine? People say little and wait; machines go on, and say what machines say. Decides within 3 s of the
 * first speech; what is not certain then may be taken back for some seconds, while nothing has been said to either. Pure:
 * all times are passed in, monotonic. Legal moves: listening -> decided, listening -> presumed -> decided.
 */
export class MachineDetection {
  readonly #answeredAt: Ms;
  readonly #judgement: Judgement;
  readonly #presumeMs: Ms;
  #firstSpeechAt: Ms | undefined;
  #speaking = false;
  #lastEndAt: Ms = 0;
  /** Of all spells of speech but the one that runs. */
  #spoken: Ms = 0;
  #startedAt: Ms = 0;
  readonly #pauses: Ms[] = [];
  /** Of the segments of speech, as understood so far. */
  readonly #words = new Map<number, string>();
  /** The same in any words, as far as somebody has listened for that. */
  readonly #free = new Map<number, string>();
  #sureSince: Ms | undefined;
  readonly #tones = new TelephoneTones();
  /** When it ended, and until when it may turn out to be none. */
  #beep: { at: Ms; begunUntil: Ms } | undefined;
  #nobody: NobodysTone | undefined;
  #presumed: Answerer | undefined;
  #decided: Answerer | undefined;

  /** `presumeMs`: behind the first speech it is presumed by then. */
  constructor(answeredAt: Ms, judgement = JUDGEMENT, presumeMs = DECIDE_MS) {
    this.#answeredAt = answeredAt;
    this.#judgement = judgement;
    this.#presumeMs = presumeMs;
  }

  /** What it is taken to be within 3 s, which may be taken back. */
  get presumed(): Answerer | undefined {
    return this.#presumed ?? this.#decided;
  }

  get speaking(): boolean {
    return this.#speaking;
  }

  speechStart(at: Ms): void {
    if (this.#firstSpeechAt !== undefined && !this.#speaking && this.#pauses.length < MAX_PAUSES)
      this.#pauses.push(Math.max(0, at - this.#lastEndAt));
    this.#firstSpeechAt ??= at;
    this.#speaking = true;
    this.#startedAt = at;
  }

  speechEnd(at: Ms): void {
    if (!this.#speaking) return;
    this.#speaking = false;
    this.#lastEndAt = at;
    this.#spoken += Math.max(0, at - this.#startedAt);
  }

  /** What is understood of a segment so far. */
  heard(segment: number, text: string): void {
    // A result without words takes nothing back: it may be doubt of the whole, not of the phrases in it.
    if (text !== '') this.#words.set(segment, text);
  }

  /** What a model that knows English has made of a segment so far; it takes its time, and may not come at all. */
  heardFreely(segment: number, text: string): void {
    this.#free.set(segment, text);
  }

  /** A tone has ended; what it means. */
  tone(tone: HeardTone): ToneMeaning {
    const meaning = this.#tones.push(tone);
    if (isNobodys(meaning)) this.#nobody = meaning;
    else if (meaning !== 'progress')
      this.#beep = { at: tone.at, begunUntil: meaning === 'begun' ? tone.at + BEGUN_FOR_MS : tone.at };
    return meaning;
  }

  /** To be asked after each of these, and at `deadline`. Says it once it is decided for good. */
  verdict(now: Ms): Answerer | undefined {
    this.#decided ??= this.#decide(now);
    return this.#decided;
  }

  /** When time alone may decide. */
  deadline(): Ms | undefined {
    if (this.#decided) return undefined;
    if (this.#beep !== undefined) return this.#beep.begunUntil;
    if (this.#firstSpeechAt === undefined) return this.#answeredAt + NOBODY_SPEAKS_MS;
    const latest = this.#firstSpeechAt + (this.#presumed ? LATEST_MS : this.#presumeMs);
    const sure = this.#sureSince === undefined ? Number.POSITIVE_INFINITY : this.#sureSince + SURE_FOR_MS;
    if (this.#speaking) return Math.min(latest, sure);
    // Behind `latest` only the silence is waited for.
    const silent = this.#lastEndAt + this.#pause;
    return Math.min(this.#presumed ? silent : Math.min(latest, silent), sure);
  }

  get #pause(): Ms {
    if (this.#presumed) return PAUSE_BEHIND_FIRM_MS;
    return this.#spoken <= SHORT_MS ? PAUSE_BEHIND_SHORT_MS : PAUSE_BEHIND_LONG_MS;
  }

  #decide(now: Ms): Answerer | undefined {
    if (this.#nobody !== undefined) return this.#answer('machine', this.#nobody, now);
    if (this.#beep !== undefined) {
      if (now < this.#beep.begunUntil) return undefined;
      return { ...this.#answer('machine', 'tone', now), beepAt: this.#beep.at };
    }
    if (this.#firstSpeechAt === undefined) {
      return now - this.#answeredAt >= NOBODY_SPEAKS_MS ? this.#answer('person', 'silence', now) : undefined;
    }
    const sure = this.#judgement.spoken(this.#text) >= SURE_ODDS;
    this.#sureSince = sure ? (this.#sureSince ?? now) : undefined;
    if (this.#sureSince !== undefined && now - this.#sureSince >= SURE_FOR_MS)
      return this.#answer('machine', 'words', now);
    const silent = !this.#speaking && now - this.#lastEndAt >= this.#pause;
    const late =
      now - this.#firstSpeechAt >= (this.#presumed ? LATEST_MS : this.#presumeMs) &&
      (this.#speaking || !this.#presumed);
    if (!silent && !late) return undefined;
    const at = this.#presumed ? 'later' : silent ? 'pause' : 'limit';
    const answer = this.#judge(at, now);
    if (at !== 'limit') return answer;
    // Whoever still speaks is not spoken to anyway.
    this.#presumed = answer;
    return undefined;
  }

  #judge(at: JudgedAt, now: Ms): Answerer {
    const until = this.#speaking ? now : this.#lastEndAt;
    const lengthMs = until - this.#firstSpeechAt!;
    const text = this.#text;
    const free = this.#free.size > 0 ? [...this.#free.values()].join(' ').trim() : undefined;
    const odds = this.#judgement.odds({ at, lengthMs, pausesMs: this.#pauses, silenceMs: now - until, text, free });
    const words = this.#judgement.spoken(text);
    // Who talks on and on is a machine, unless the words say otherwise.
    const endless = at === 'later' && this.#speaking && words >= 0;
    const by = odds > 0 || endless ? 'machine' : 'person';
    // Named by what weighs more, or alone speaks for it.
    const said = this.#judgement.spoken(text, free);
    const byWords = by === 'machine' ? said > odds / 2 : said < odds / 2;
    return this.#answer(
      by,
      byWords ? 'words' : lengthMs <= SHORT_MS || at === 'pause' ? 'short-greeting' : 'long-greeting',
      now,
    );
  }

  get #text(): string {
    return [...this.#words.values()].join(' ');
  }

  #answer(by: Answerer['by'], why: Answerer['why'], now: Ms): Answerer {
    return { by, why, afterMs: this.#firstSpeechAt === undefined ? 0 : Math.round(now - this.#firstSpeechAt) };
  }
}

/** Without a beep the message begins after this much silence. */
const SILENCE_INSTEAD_MS: Ms = 2500;
const BEHIND_TONE_MS: Ms = 250;
/** A greeting that never ends. */
const LONGEST_GREETING_MS: Ms = 60_000;

/** When to begin with the message: behind the beep, or when nothing more comes. Pure, time passed in. */
export class MessageMoment {
  readonly #since: Ms;
  #speaking: boolean;
  #quietSince: Ms;
  #toneAt: Ms | undefined;

  constructor(now: Ms, speaking: boolean) {
    this.#since = now;
    this.#quietSince = now;
    this.#speaking = speaking;
  }

  speechStart(): void {
    this.#speaking = true;
  }

  speechEnd(at: Ms): void {
    this.#speaking = false;
    this.#quietSince = at;
  }

  tone(endedAt: Ms): void {
    this.#toneAt = endedAt;
  }

  /** `late`: it has not stopped talking for a minute. */
  due(now: Ms): 'now' | 'late' | undefined {
    if (this.#toneAt !== undefined && now - this.#toneAt >= BEHIND_TONE_MS) return 'now';
    if (this.#toneAt === undefined && !this.#speaking && now - this.#quietSince >= SILENCE_INSTEAD_MS) return 'now';
    return now - this.#since >= LONGEST_GREETING_MS ? 'late' : undefined;
  }

  deadline(): Ms {
    if (this.#toneAt !== undefined) return this.#toneAt + BEHIND_TONE_MS;
    return this.#speaking ? this.#since + LONGEST_GREETING_MS : this.#quietSince + SILENCE_INSTEAD_MS;
  }
}

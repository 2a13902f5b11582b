import { cardinalWords } from './number-words.ts';
import { digitCount, FEWEST_DIALLED } from './spoken-groups.ts';
import { MONTHS, spokenDigits, spokenMoney, spokenYear } from './spoken-values.ts';

/** The words around a word, without punctuation; '' where there is none. */
export interface Neighbours {
  before: string;
  before2: string;
  after: string;
  after2: string;
}

const NUMBER = String.raw`(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+`;
const pattern = (source: string) => new RegExp(`^${source.replaceAll('N', `(${NUMBER})`)}$`, 'i');
const MONEY = pattern('([-–+]?)([$€£])N(k|m|bn)?');
const PERCENT = pattern('([-–+]?)N%');
const SIGNED = pattern('([-–+]?)N([+x]?)');
const RANGE = pattern('([$€£]?)N[-–][$€£]?N(%?)');

const SYMBOL_CODES: Readonly<Record<string, string>> = { $: 'USD', '€': 'EUR', '£': 'GBP' };
const UNITS: Readonly<Record<string, string>> = {
  USD: 'dollars',
  CAD: 'dollars',
  AUD: 'dollars',
  NZD: 'dollars',
  EUR: 'euros',
  GBP: 'pounds',
  CHF: 'francs',
};
const SCALES: Readonly<Record<string, string>> = { k: 'thousand', m: 'million', bn: 'billion' };
const SCALE_WORD = /^(?:hundred|thousand|million|billion)$/i;

/** What can be counted with four figures and more and no separator; other such figures are a name of something. */
const COUNTED =
  /^(?:dollars?|cents?|euros?|pounds?|pence|francs?|points?|miles|transactions?|payments?|accounts?|cards?|customers?|people|items?|days?|hours?|minutes?|seconds?|weeks?|months?|years?|times|percent|hundred|thousand|million|billion|meters?|metres?|kilometers?|kilometres?)$/i;
/** Behind these, figures are read one by one: "the card ending in 4321" names no quantity. */
const NAMING =
  /^(?:number|numbers|no|code|codes|digits|card|account|extension|ext|pin|reference|ref|id|phone|telephone|ending|tracking)$/i;
const NAMING_BEFORE_IN = /^(?:ending|ends|end|beginning|begins|starting|starts|digits|number|code|reference|pin|id)$/i;

/** What an amount, number, time or date in figures is called; undefined when it is none of these. */
export function spokenFigures(core: string, near: Neighbours): string | undefined {
  if (/^[*x•·.]+-?\d+$/i.test(core)) return spokenDigits(core);
  if (core.startsWith('#')) return /^#\d+$/.test(core) ? `number ${nameOrNumber(core.slice(1), true)}` : undefined;
  return (
    money(core, near) ??
    share(core) ??
    date(core, near) ??
    time(core, near) ??
    hours(core, near) ??
    dialled(core) ??
    number(core, near) ??
    mixed(core) ??
    joined(core, near)
  );
}

// --- amounts ---------------------------------------------------------------------------------------------------------

function money(core: string, near: Neighbours): string | undefined {
  const [, sign = '', symbol, amount, scale] = MONEY.exec(core) ?? [];
  if (symbol !== undefined && amount !== undefined) {
    const code = SYMBOL_CODES[symbol]!;
    if (scale !== undefined) return `${signed(sign)}${figure(amount)} ${SCALES[scale.toLowerCase()]} ${UNITS[code]}`;
    // "$1.2 million": the unit is said behind the million, see unitBehind.
    if (SCALE_WORD.test(near.after)) return `${signed(sign)}${figure(amount)}`;
    return signed(sign) + amountOf(amount, code);
  }
  if (!isNumber(core)) return undefined;
  // The whole amount is said at its first word, "20 EUR" or "EUR 20", and nothing at the second.
  if (isCode(near.before)) return '';
  return isCode(near.after) ? amountOf(core, near.after) : undefined;
}

function amountOf(amount: string, code: string): string {
  const value = Number(amount.replaceAll(',', ''));
  const cents = amount.split('.')[1] ?? '';
  if (cents.length > 2 || value >= 1e11) return `${figure(amount)} ${UNITS[code]}`;
  return spokenMoney(value, code);
}

/** Currency codes, and the scale behind an amount that was written with a symbol. */
function unit(core: string, near: Neighbours): string | undefined {
  if (isCode(core)) {
    if (isNumber(near.before)) return '';
    return isNumber(near.after) ? amountOf(near.after, core) : undefined;
  }
  const symbol = SCALE_WORD.test(core) ? MONEY.exec(near.before)?.[2] : undefined;
  return symbol === undefined ? undefined : `${core} ${UNITS[SYMBOL_CODES[symbol]!]}`;
}

const isCode = (core: string) => Object.hasOwn(UNITS, core);
const isNumber = (core: string) => new RegExp(`^(?:${NUMBER})$`).test(core);
const signed = (sign: string) => (sign === '' ? '' : sign === '+' ? 'plus ' : 'minus ');

function share(core: string): string | undefined {
  const [, sign = '', value] = PERCENT.exec(core) ?? [];
  if (value !== undefined) return `${signed(sign)}${figure(value)} percent`;
  const [, symbol, from, to, percent] = RANGE.exec(core) ?? [];
  if (from === undefined || to === undefined || digitCount(core) > 8 || /^0\d/.test(to)) return undefined;
  // Two groups such as 555-0100 are a number to dial, not a range.
  if (symbol === '' && from.length === 3 && to.length >= 4) return undefined;
  const behind = symbol ? ` ${UNITS[SYMBOL_CODES[symbol]!]}` : percent ? ' percent' : '';
  return `${nameOrNumber(from, false)} to ${nameOrNumber(to, false)}${behind}`;
}

// --- days and times --------------------------------------------------------------------------------------------------

/** A day or month written in words and figures ("Nov. 12", "12 November"), or a unit of money behind its amount. */
export function spokenDay(core: string, stop: boolean, near: Neighbours): string | undefined {
  const written = unit(core, near);
  if (written !== undefined) return written;
  const month = monthOf(core);
  if (month !== undefined && month.length > core.length) {
    return stop || isDay(near.before) || isDay(near.after) ? month : undefined;
  }
  if (!isDay(core) || COUNTED.test(near.after)) return undefined;
  const day = ordinal(Number.parseInt(core, 10));
  if (monthOf(near.before) !== undefined) return day;
  if (monthOf(near.after) === undefined) return undefined;
  return /^the$/i.test(near.before) ? `${day} of` : `the ${day} of`;
}

function monthOf(core: string): string | undefined {
  if (!/^\p{Lu}\p{Ll}{2,}$/u.test(core)) return undefined;
  return MONTHS.find((month) => month === core || (month.startsWith(core) && (core.length === 3 || core === 'Sept')));
}

function isDay(core: string): boolean {
  const day = /^(\d{1,2})(?:st|nd|rd|th)?$/.exec(core)?.[1];
  return day !== undefined && Number(day) >= 1 && Number(day) <= 31;
}

function date(core: string, near: Neighbours): string | undefined {
  if (core === '24/7') return 'twenty four seven';
  const [, isoYear, isoMonth, isoDay] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(core) ?? [];
  if (isoYear !== undefined) return dayOf(Number(isoMonth), Number(isoDay), isoYear);
  const [, day, month, year] = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(core) ?? [];
  if (day !== undefined) return dayOf(Number(month), Number(day), year);
  const [, first, second, third] = /^(\d{1,2})\/(\d{1,2}|\d{4})(?:\/(\d\d|\d{4}))?$/.exec(core) ?? [];
  if (first === undefined || second === undefined) return undefined;
  const [a, b] = [Number(first), Number(second)];
  const expires = /^(?:exp|valid|thru)/i.test(near.before) || /^(?:exp|valid|thru)/i.test(near.before2);
  if (third === undefined && a >= 1 && a <= 12 && (b > 31 || (expires && b >= 20)))
    return `${MONTHS[a - 1]} ${spokenYear(fullYear(second))}`;
  if (third === undefined && a < b && /^(?:of|an?)$/i.test(near.after)) return fraction(a, b);
  // The American way, month first, unless that cannot be.
  return a > 12 ? dayOf(b, a, third) : dayOf(a, b, third);
}

function dayOf(month: number, day: number, year: string | undefined): string | undefined {
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  const said = `${MONTHS[month - 1]} ${ordinal(day)}`;
  return year === undefined ? said : `${said} ${spokenYear(fullYear(year))}`;
}

const fullYear = (year: string) => (year.length === 2 ? 2000 + Number(year) : Number(year));

function fraction(part: number, whole: number): string {
  const name = whole === 2 ? 'half' : whole === 4 ? 'quarter' : ordinal(whole);
  return `${cardinalWords(part)} ${name}${part > 1 ? 's' : ''}`;
}

/** "9am-5pm", "10:00–12:30", "9-5pm": the first may leave to the second which half of the day it is in. */
function hours(core: string, near: Neighbours): string | undefined {
  const [, from, to] = /^([\d:.apm]+)[-–]([\d:.apm]+)$/i.exec(core) ?? [];
  if (from === undefined || to === undefined) return undefined;
  const end = time(to, near);
  const begin = time(from, near) ?? (/^\d{1,2}$/.test(from) ? cardinalWords(Number(from)) : undefined);
  return begin === undefined || end === undefined ? undefined : `${begin} to ${end}`;
}

function time(core: string, near: Neighbours): string | undefined {
  // "5.30pm", the British way: with nothing behind it, it would be a number.
  const written = core.replace(/^(\d{1,2})\.([0-5]\d)(?=[ap]\.?m$)/i, '$1:$2');
  const [, hour, minute, half] = /^(\d{1,2})(?::([0-5]\d)(?::[0-5]\d)?)?(?:([ap])\.?m)?$/i.exec(written) ?? [];
  if (hour === undefined || Number(hour) > 24 || (minute === undefined && half === undefined)) return undefined;
  const behind = half === undefined ? '' : ` ${half.toUpperCase()} M`;
  const named = half !== undefined || /^[ap]\.?m$/i.test(near.after);
  const said = cardinalWords(Number(hour));
  if (minute === undefined || (minute === '00' && named)) return said + behind;
  if (minute === '00') return Number(hour) > 12 || Number(hour) === 0 ? `${said} hundred` : `${said} o'clock`;
  return `${said} ${minute.startsWith('0') ? 'oh ' : ''}${cardinalWords(Number(minute))}${behind}`;
}

// --- numbers ---------------------------------------------------------------------------------------------------------

/** Telephone and card numbers in groups, and sort codes: digit by digit, with a rest between the groups. */
function dialled(core: string): string | undefined {
  if (/^\d\d-\d\d-\d\d$/.test(core)) return core.split('-').map(spokenDigits).join(', ');
  if (!/^\+?\(?\d[\d().-]*\d$/.test(core) || !/[().-]/.test(core)) return undefined;
  if (digitCount(core) < FEWEST_DIALLED || isNumber(core)) return undefined;
  const groups = core.split(/\D+/).filter((group) => group !== '');
  return (core.startsWith('+') ? 'plus ' : '') + groups.map(spokenDigits).join(', ');
}

function number(core: string, near: Neighbours): string | undefined {
  const nth = /^(\d{1,9})(?:st|nd|rd|th)$/i.exec(core)?.[1];
  if (nth !== undefined) return ordinal(Number(nth));
  const [, sign = '', value, behind = ''] = SIGNED.exec(core) ?? [];
  if (value === undefined) return undefined;
  const counted = COUNTED.test(near.after) || COUNTED.test(near.after2);
  const said = /^\d+$/.test(value) && !counted ? nameOrNumber(value, isNamed(near)) : figure(value);
  return signed(sign) + said + (behind === '+' ? ' plus' : behind === '' ? '' : ' times');
}

/** "½", "2 1⁄2": see how words are parted. */
function mixed(core: string): string | undefined {
  const [, whole, part, of] = /^(?:(\d{1,9}) )?(\d{1,2})⁄(\d{1,2})$/.exec(core) ?? [];
  if (part === undefined || of === undefined || Number(of) < 2) return undefined;
  const said = fraction(Number(part), Number(of));
  return whole === undefined ? said : `${cardinalWords(Number(whole))} and ${said.replace(/^one /, 'a ')}`;
}

/** "24-hour", "$10/month". */
function joined(core: string, near: Neighbours): string | undefined {
  const [, count, thing] = /^(\d{1,6})-(\p{L}{2,})$/u.exec(core) ?? [];
  if (count !== undefined) return `${cardinalWords(Number(count))} ${thing}`;
  const [, amount, unit] = /^(.*\d.*)\/(\p{L}{2,})$/u.exec(core) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  const said = spokenFigures(amount, { ...near, after: '', after2: '' });
  return said && `${said} per ${PER[unit.toLowerCase()] ?? unit}`;
}

const PER: Readonly<Record<string, string>> = {
  mo: 'month',
  mth: 'month',
  yr: 'year',
  hr: 'hour',
  min: 'minute',
  wk: 'week',
};

function isNamed({ before, before2 }: Neighbours): boolean {
  return NAMING.test(before) || (/^(?:in|with|is|are)$/i.test(before) && NAMING_BEFORE_IN.test(before2));
}

/** Bare figures: a year, a quantity, or the name of a card, an account, a parcel. */
function nameOrNumber(figures: string, named: boolean): string {
  if (!/^\d+$/.test(figures)) return figure(figures);
  if (named ? figures.length > 2 : /^0\d/.test(figures)) return spokenDigits(figures);
  if (figures.length === 4 && /^(?:19|20)/.test(figures)) return spokenYear(Number(figures));
  return figures.length >= 4 ? spokenDigits(figures) : cardinalWords(Number(figures));
}

/** A quantity as written, with its decimals one by one. */
function figure(written: string): string {
  const [whole = '', decimals] = written.replaceAll(',', '').split('.');
  const said = whole.length > 12 ? spokenDigits(whole) : cardinalWords(Number(whole));
  return decimals === undefined ? said : `${said} point ${spokenDigits(decimals)}`;
}

const IRREGULAR: Readonly<Record<string, string>> = {
  one: 'first',
  two: 'second',
  three: 'third',
  five: 'fifth',
  eight: 'eighth',
  nine: 'ninth',
  twelve: 'twelfth',
};

function ordinal(value: number): string {
  return cardinalWords(value).replace(
    /[a-z]+$/,
    (last) => IRREGULAR[last] ?? (last.endsWith('y') ? `${last.slice(0, -1)}ieth` : `${last}th`),
  );
}

import { Failure } from '../core/errors.ts';
import { cardinalWords, SMALL_NUMBERS, TENS } from './number-words.ts';

interface Currency {
  unit: [one: string, many: string];
  part: [one: string, many: string];
}
const CENTS: [string, string] = ['cent', 'cents'];
const DOLLARS: Currency = { unit: ['dollar', 'dollars'], part: CENTS };
const CURRENCIES: Readonly<Record<string, Currency>> = {
  USD: DOLLARS,
  CAD: DOLLARS,
  AUD: DOLLARS,
  NZD: DOLLARS,
  EUR: { unit: ['euro', 'euros'], part: CENTS },
  GBP: { unit: ['pound', 'pounds'], part: ['penny', 'pence'] },
  CHF: { unit: ['franc', 'francs'], part: CENTS },
};

/** Digit by digit: "12345" is "one two three four five". Other characters are passed over. */
export function spokenDigits(digits: string): string {
  return [...digits.matchAll(/\d/g)].map(([digit]) => SMALL_NUMBERS[Number(digit)]!).join(' ');
}

/** A number as it is read out: 1204 is "one thousand two hundred four", 2.5 "two point five". */
export function spokenNumber(value: number): string {
  if (Number.isInteger(value)) return cardinalWords(value);
  const [whole, fraction] = String(Math.abs(value)).split('.');
  if (fraction === undefined || !/^\d+$/.test(fraction)) {
    throw new Failure(`cannot say the number ${value}`, { code: 'unspeakable-number', blame: 'us' });
  }
  return `${value < 0 ? 'minus ' : ''}${cardinalWords(Number(whole))} point ${spokenDigits(fraction)}`;
}

/** An amount in main units, rounded to hundredths: (1204.5, 'USD') is "one thousand two hundred four dollars and fifty cents". */
export function spokenMoney(amount: number, currency: string): string {
  const names = CURRENCIES[currency.toUpperCase()];
  if (names === undefined)
    throw new Failure(`no words for the currency ${currency}`, { code: 'unknown-currency', blame: 'us' });
  if (!Number.isFinite(amount))
    throw new Failure('cannot say this amount', { code: 'unspeakable-number', blame: 'us' });
  // Through a decimal string: 1.005 * 100 is 100.49999 in binary.
  const hundredths = Math.round(Number(`${Math.abs(amount).toFixed(6)}e2`));
  const [units, parts] = [Math.floor(hundredths / 100), hundredths % 100];
  const spoken = [];
  if (units > 0 || parts === 0) spoken.push(`${cardinalWords(units)} ${names.unit[units === 1 ? 0 : 1]}`);
  if (parts > 0) spoken.push(`${cardinalWords(parts)} ${names.part[parts === 1 ? 0 : 1]}`);
  return `${amount < 0 && hundredths > 0 ? 'minus ' : ''}${spoken.join(' and ')}`;
}

export const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
const ORDINALS = (
  'zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth ' +
  'fifteenth sixteenth seventeenth eighteenth nineteenth twentieth'
).split(' ');

/**
 * A calendar day as it is said now: "today", "yesterday", "tomorrow", "on the fourth of November", and with the year
 * when it is another than this. Days are those of `timeZone` (IANA name).
 */
export function spokenDate(date: Date, now: Date, timeZone = 'UTC'): string {
  const [day, today] = [calendarDay(date, timeZone), calendarDay(now, timeZone)];
  const apart =
    (Date.UTC(day.year, day.month - 1, day.day) - Date.UTC(today.year, today.month - 1, today.day)) / 86_400_000;
  if (apart === 0) return 'today';
  if (apart === -1) return 'yesterday';
  if (apart === 1) return 'tomorrow';
  const spoken = `on the ${ordinal(day.day)} of ${MONTHS[day.month - 1]}`;
  return day.year === today.year ? spoken : `${spoken} ${spokenYear(day.year)}`;
}

function calendarDay(date: Date, timeZone: string): { year: number; month: number; day: number } {
  if (Number.isNaN(date.getTime())) throw new Failure('this is not a date', { code: 'bad-date', blame: 'us' });
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
  }).formatToParts(date);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  return { year: of('year'), month: of('month'), day: of('day') };
}

function ordinal(day: number): string {
  if (day <= 20) return ORDINALS[day]!;
  if (day === 30) return 'thirtieth';
  return `${TENS[Math.floor(day / 10)]} ${ORDINALS[day % 10]}`;
}

/** 2026 is "twenty twenty six", 2005 "two thousand five", 1900 "nineteen hundred". */
export function spokenYear(year: number): string {
  const [century, rest] = [Math.floor(year / 100), year % 100];
  if (year < 1000 || year > 9999 || (century % 10 === 0 && rest < 10)) return cardinalWords(year);
  if (rest === 0) return `${cardinalWords(century)} hundred`;
  return `${cardinalWords(century)} ${rest < 10 ? `oh ${SMALL_NUMBERS[rest]}` : cardinalWords(rest)}`;
}

/** "a", "a and b", "a, b and c". */
export function spokenList(items: readonly string[], last: 'and' | 'or' = 'and'): string {
  if (items.length <= 1) return items[0] ?? '';
  return `${items.slice(0, -1).join(', ')} ${last} ${items.at(-1)}`;
}

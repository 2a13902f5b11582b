/** Opening hours in one time zone. Minutes count from midnight there; `to` may be 24:00. */
export interface Hours {
  readonly zone: string;
  /** From Sunday (0) to Saturday (6): spans [from, to) of minutes, none past midnight. */
  readonly week: readonly (readonly Span[])[];
  /** yyyy-mm-dd, in the zone: closed all day, or the hours of that day. */
  readonly days: ReadonlyMap<string, readonly Span[]>;
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

const DAYS: readonly string[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** `mon`, `mon-fri`, `sat-mon`; undefined for anything else. */
export function parseDays(text: string): number[] | undefined {
  const [first, last, more] = text.toLowerCase().split('-');
  const from = DAYS.indexOf(first ?? '');
  const to = last === undefined ? from : DAYS.indexOf(last);
  if (from < 0 || to < 0 || more !== undefined) return undefined;
  const days = [from];
  for (let day = from; day !== to; ) {
    day = (day + 1) % 7;
    days.push(day);
  }
  return days;
}

/** `08:00-12:30`, several with commas, or `closed`; undefined for anything else. */
export function parseSpans(text: string): Span[] | undefined {
  if (text.trim() === 'closed') return [];
  const spans: Span[] = [];
  for (const piece of text.split(',')) {
    const match = /^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$/.exec(piece.trim());
    if (match === null) return undefined;
    const [h1, m1, h2, m2] = match.slice(1).map(Number) as [number, number, number, number];
    const [from, to] = [h1 * 60 + m1, h2 * 60 + m2];
    if (m1 > 59 || m2 > 59 || to > 24 * 60 || from >= to) return undefined;
    spans.push({ from, to });
  }
  return spans;
}

export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Is `at` within the hours? Daylight saving is the zone's own affair: what counts is what a clock on the wall shows. */
export function isOpen(hours: Hours, at: Date): boolean {
  return openFor(hours, onTheWall(hours.zone, at)) > 0;
}

const MINUTE_MS = 60_000;
const LONGEST_MS = 24 * 60 * MINUTE_MS;

/**
 * When the hours that are open at `at` end, to the minute, or a day from then where they go on for longer; undefined:
 * they are closed. Goes from one end of a span to the next; where the clock on the wall is changed in between, to the
 * change and on from what it shows then.
 */
export function closesAt(hours: Hours, at: Date): Date | undefined {
  const start = Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS;
  let time = start;
  for (;;) {
    const wall = onTheWall(hours.zone, new Date(time));
    const minutes = openFor(hours, wall);
    if (minutes === 0) return time === start ? undefined : new Date(time);
    const end = time + minutes * MINUTE_MS;
    const change = clockChange(hours.zone, time, end);
    time = change ?? end;
    if (time - start >= LONGEST_MS) return new Date(start + LONGEST_MS);
  }
}

interface Wall {
  day: number;
  date: string;
  minute: number;
}

/** Minutes until the span ends that this is in, on the wall; 0: in none. */
function openFor(hours: Hours, { day, date, minute }: Wall): number {
  const spans = hours.days.get(date) ?? hours.week[day] ?? [];
  return Math.max(0, ...spans.map(({ from, to }) => (minute >= from && minute < to ? to - minute : 0)));
}

/** The first moment behind `from` and not behind `to`, within a day, at which the clock on the wall is another. */
function clockChange(zone: string, from: number, to: number): number | undefined {
  const offset = ahead(zone, from);
  if (ahead(zone, to) === offset) return undefined;
  let [before, after] = [from, to];
  while (after - before > MINUTE_MS) {
    const middle = Math.floor((before + after) / 2 / MINUTE_MS) * MINUTE_MS;
    if (ahead(zone, middle) === offset) before = middle;
    else after = middle;
  }
  return after;
}

/** How far the clock on the wall is ahead of UTC, ms. */
function ahead(zone: string, at: number): number {
  const { date, minute } = onTheWall(zone, new Date(at));
  return Date.parse(date) + minute * MINUTE_MS - at;
}

function onTheWall(zone: string, at: Date): Wall {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      weekday: 'short',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    formats.set(zone, format);
  }
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return {
    day: DAYS.indexOf(part.weekday!.toLowerCase()),
    date: `${part.year}-${part.month}-${part.day}`,
    minute: Number(part.hour) * 60 + Number(part.minute),
  };
}

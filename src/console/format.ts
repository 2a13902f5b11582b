/** How figures, times and names are written on the page. */

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const clockWithSeconds = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const dayWithYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });

export const timeOfDay = (iso: string) => clock.format(new Date(iso));
export const exactTime = (iso: string) => clockWithSeconds.format(new Date(iso));

/** Today, Yesterday, or the date. */
export function dayOf(iso: string, now = new Date()): string {
  const date = new Date(iso);
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const age = midnight - new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  if (age === 0) return 'Today';
  if (age > 0 && age <= 90_000_000) return 'Yesterday';
  return date.getFullYear() === now.getFullYear() ? day.format(date) : dayWithYear.format(date);
}

/** 75000 -> 1:15, 3675000 -> 1:01:15 */
export function duration(ms: number): string {
  const total = Math.max(0, Math.round(ms / 1000));
  const seconds = String(total % 60).padStart(2, '0');
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600);
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
}

export const latency = (ms: number) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** Grades of the connector's budgets: a turn is answered in 450 ms at the median and 700 ms at the 95th percentile. */
export function grade(ms: number): 'good' | 'fair' | 'slow' {
  if (ms <= 450) return 'good';
  return ms <= 700 ? 'fair' : 'slow';
}

/** CARD_INQUIRY, barge-in, asrFinalMs -> Card inquiry, Barge in, ASR final ms */
export function words(name: string): string {
  const text = name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/[_-]+/g, ' ')
    .trim()
    .toLowerCase();
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  return sentence.replace(/\b(rtp|sip|asr|tts|llm|dtmf|pin|api|ack|id)\b/gi, (name) => name.toUpperCase());
}

export const phone = (number: string) => number || 'Anonymous';

interface Ends {
  direction: 'INBOUND' | 'OUTBOUND';
  callerPhone: string;
  calledNumber: string;
}

/** The customer's number, whoever called whom. */
export const customerOf = ({ direction, callerPhone, calledNumber }: Ends) =>
  direction === 'OUTBOUND' ? calledNumber : callerPhone;

/** The same as it is shown: an arrow before whom we have called. */
export const party = (ends: Ends) => `${ends.direction === 'OUTBOUND' ? '→ ' : ''}${phone(customerOf(ends))}`;

/** 10000 -> 10,000 */
export const count = (number: number) => number.toLocaleString('en');

export function size(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

export function plain(value: unknown): string {
  if (value === null || value === undefined) return '–';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** `heard` ends inside `text`: what was heard, and the rest that was not. Undefined when they do not match up. */
export function splitHeard(text: string, heard: string): { heard: string; rest: string } | undefined {
  const pattern = heard.trim().split(/\s+/).filter(Boolean);
  if (pattern.length === 0) return { heard: '', rest: text };
  let at = 0;
  for (const word of pattern) {
    while (/\s/.test(text.charAt(at))) at++;
    if (text.slice(at, at + word.length).toLowerCase() !== word.toLowerCase()) return undefined;
    at += word.length;
  }
  return { heard: text.slice(0, at), rest: text.slice(at) };
}

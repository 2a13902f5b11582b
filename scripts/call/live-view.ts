import { monotonicNow } from '../../src/core/clock.ts';
import type { Turn, TurnMeasure } from '../../tests/support/phone/measures.ts';
import type { PhoneObserver } from '../../tests/support/phone/phone.ts';
import { ms } from './table.ts';
import type { HeardUtterance } from './transcript.ts';

/** Shows the call as it happens: one line per event, stamped in seconds since the INVITE. */
export class LiveView implements PhoneObserver {
  readonly #write: (line: string) => void;
  readonly #colour: boolean;
  readonly #start = monotonicNow();
  #spoken = false;

  /** `write` takes one line without its end. */
  constructor(write: (line: string) => void, colour: boolean) {
    this.#write = write;
    this.#colour = colour;
  }

  note(text: string): void {
    this.#line('', '2', text);
  }

  ringing(status: number): void {
    this.note(status === 180 ? 'ringing' : `progress ${status}`);
  }

  answered(setupMs: number): void {
    this.note(`answered after ${ms(setupMs)} ms`);
  }

  callerSpeaks(turn: Turn): void {
    const text = turn.kind === 'press' ? `keys ${'*'.repeat(turn.text.length)}` : `"${turn.text}"`;
    this.#line(turn.kind === 'interrupt' ? 'caller ✂' : 'caller', '36', text);
  }

  botSpeaks(_at: number, latency: TurnMeasure | undefined): void {
    const first = !this.#spoken;
    this.#spoken = true;
    const parts: string[] = [];
    if (latency?.replyMs !== undefined) {
      parts.push(`${latency.kind === 'press' ? 'key-to-voice' : 'voice-to-voice'} ${ms(latency.replyMs)} ms`);
    }
    if (latency?.bargeInToSilenceMs !== undefined) {
      parts.push(`fell silent ${ms(latency.bargeInToSilenceMs)} ms after the caller began`);
    }
    if (latency?.falseCutOff) parts.push('it had cut the caller off');
    this.#line('bot', '33', `♪ speaks${parts.length > 0 ? `  [${parts.join('; ')}]` : first ? '  [greeting]' : ''}`);
  }

  botSilent(_at: number, spokeMs: number): void {
    this.#line('bot', '2', `♪ silent after ${(spokeMs / 1000).toFixed(1)} s`);
  }

  ended(end: { by: string; how: string; status?: number; reason?: string }): void {
    const status = end.status ? ` ${end.status} ${end.reason ?? ''}` : '';
    this.note(`ended by ${end.by}: ${end.how}${status}`);
  }

  utterance(row: HeardUtterance, before: HeardUtterance | undefined): void {
    if (row.speaker === 'caller') {
      if (before?.text === row.text || row.text === '') return;
      const sure = row.confidence == null ? '' : `  (${Math.round(row.confidence * 100)} %)`;
      this.#line('  understood', '36', `"${row.text}"${sure}`);
      return;
    }
    if (row.interrupted && !before?.interrupted) {
      this.#line('bot ✂', '33', `interrupted; heard of it: "${row.heard ?? ''}"`);
      if (before) return;
    }
    if (row.text === '' || row.text === before?.text) return;
    const more =
      before && row.text.startsWith(before.text) ? `… ${row.text.slice(before.text.length).trim()}` : row.text;
    this.#line(row.speaker === 'assistant' ? 'bot' : row.speaker, '33', more);
  }

  expectation(description: string, met: boolean): void {
    this.#line(met ? '  ✓' : '  ✗', met ? '32' : '31', description);
  }

  #line(who: string, colour: string, text: string): void {
    const seconds = ((monotonicNow() - this.#start) / 1000).toFixed(2).padStart(7);
    const label = who.padEnd(12);
    this.#write(
      this.#colour ? `${seconds}  \u001b[${colour}m${label} ${text}\u001b[0m` : `${seconds}  ${label} ${text}`,
    );
  }
}

import { summarize } from '../../tests/support/phone/measures.ts';
import type { PhoneReport } from '../../tests/support/phone/phone.ts';
import { ms, table } from './table.ts';

/** The figures of measures.md, gathered over calls. */
export interface Figures {
  readonly setupMs: readonly number[];
  readonly greetingMs: readonly number[];
  readonly voiceToVoiceMs: readonly number[];
  readonly missed: number;
  readonly falseCutOffs: number;
  readonly keyToVoiceMs: readonly number[];
  readonly keyMissed: number;
  readonly bargeInToSilenceMs: readonly number[];
  readonly pacingMs: readonly number[];
  readonly sequenceGaps: number;
}

export function figuresOf(reports: readonly PhoneReport[]): Figures {
  const known = (values: readonly (number | undefined)[]) => values.filter((value) => value !== undefined);
  const turns = reports.flatMap((report) => report.turns);
  const spoken = turns.filter((turn) => turn.kind !== 'press');
  const keyed = turns.filter((turn) => turn.kind === 'press');
  return {
    setupMs: known(reports.map((report) => report.setupMs)),
    greetingMs: known(reports.map((report) => report.greetingMs)),
    voiceToVoiceMs: known(spoken.map((turn) => turn.replyMs)),
    missed: spoken.filter((turn) => turn.missed).length,
    falseCutOffs: spoken.filter((turn) => turn.falseCutOff).length,
    keyToVoiceMs: known(keyed.map((turn) => turn.replyMs)),
    keyMissed: keyed.filter((turn) => turn.missed).length,
    bargeInToSilenceMs: known(spoken.map((turn) => turn.bargeInToSilenceMs)),
    pacingMs: reports.flatMap((report) => report.pacing.intervals),
    sequenceGaps: reports.reduce((sum, report) => sum + report.pacing.sequenceGaps, 0),
  };
}

/** The table at the end of a call. Milliseconds. */
export function summaryTable(figures: Figures): string {
  const row = (name: string, values: readonly number[], missed?: number): string[] => {
    const s = summarize(values);
    const missedText = missed === undefined ? '' : String(missed);
    return [name, String(s?.n ?? 0), missedText, ms(s?.p50), ms(s?.p95), ms(s?.p99), ms(s?.max)];
  };
  const rows = [
    row('setup', figures.setupMs),
    row('greeting', figures.greetingMs),
    row('voice-to-voice', figures.voiceToVoiceMs, figures.missed),
    row('key-to-voice', figures.keyToVoiceMs, figures.keyMissed),
    row('barge-in to silence', figures.bargeInToSilenceMs),
    row('pacing', figures.pacingMs),
  ];
  const body = table(['ms', 'n', 'missed', 'p50', 'p95', 'p99', 'max'], rows);
  return `${body}\nsequence gaps ${figures.sequenceGaps}, false cut-offs ${figures.falseCutOffs}`;
}

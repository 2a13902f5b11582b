import type { CallId } from '../../core/ids.ts';
import type { RecordingRecord, UtteranceRecord } from './records.ts';
import type { Words } from './truer-words.ts';

/** A sentence of a call that is over, whose words are to be looked for in the recording. */
export interface UntranscribedLine {
  utteranceId: string;
  sessionId: CallId;
  speaker: 'caller' | 'agent';
  startedAt: Date;
  endedAt: Date;
  botProfile: string;
  recording: RecordingRecord;
  /** What the recogniser understood at once, text '' for nothing; undefined: nobody had time to listen. */
  known: Words | undefined;
  /** What was said shortly before, the latest last: as it was when the lines of the call were read. */
  before: readonly { utteranceId: string; text: string }[];
}

/**
 * Which lines: those nobody had time to listen to, or also those of people among themselves, of which the recogniser took
 * down what its grammar knows.
 */
export type LinesToHear = 'without words' | 'without free words';

/** `source` as UtteranceRecord.source: 'recording', or 'speech' where it has nothing of it, or nobody need listen to it. */
export interface HeardAgain extends Words {
  source: 'recording' | 'speech';
}

/** Lines of the record that wait for their words. All reject while the database is away. */
export interface UntranscribedLines {
  /** Calls of earlier runs of this connector that have some and are recorded, the latest first, a bounded number. */
  calls(which: LinesToHear): Promise<CallId[]>;
  /** Of one call that is over and recorded, in order. */
  ofCall(sessionId: CallId, which: LinesToHear): Promise<UntranscribedLine[]>;
  /** Durable when it resolves, with the line as it is then; undefined: it has its words by now, and keeps them. */
  transcribed(utteranceId: string, heard: HeardAgain): Promise<UtteranceRecord | undefined>;
}

import { Counter, Gauge, type Registry } from 'prom-client';
import type { Ms } from '../../core/clock.ts';
import type { LaterTranscriptStats } from '../record/later-transcript.ts';
import { askedOnce } from './asked-once.ts';

/** What a recogniser on this machine tells of its work so far; see its stats(). */
export interface RecognizerFigures {
  segments: number;
  waited: number;
  unserved: number;
  secondLooks: number;
  finals: number;
  finalMs: Ms;
  lateFinals: number;
  lost: number;
  droppedMs: Ms;
  audioMs: Ms;
  busyMs: Ms;
  backlogMs: Ms;
}

const COUNTS: { name: string; help: string; read: (figures: RecognizerFigures) => number }[] = [
  { name: 'segments', help: 'Segments of speech', read: ({ segments }) => segments },
  { name: 'segments_waited', help: 'Segments that had to wait for a decoder', read: ({ waited }) => waited },
  { name: 'segments_unserved', help: 'Segments that got no decoder in time', read: ({ unserved }) => unserved },
  { name: 'segments_lost', help: 'Segments to be taken down that there was no time for', read: ({ lost }) => lost },
  { name: 'second_looks', help: 'Segments listened to once more', read: ({ secondLooks }) => secondLooks },
  { name: 'finals', help: 'Final results that a caller waited for', read: ({ finals }) => finals },
  { name: 'finals_late', help: 'Those of them that came 0.3 s or later', read: ({ lateFinals }) => lateFinals },
  { name: 'final_seconds', help: 'Time callers waited for final results', read: ({ finalMs }) => finalMs / 1000 },
  { name: 'audio_seconds', help: 'Speech listened to', read: ({ audioMs }) => audioMs / 1000 },
  { name: 'audio_dropped_seconds', help: 'Speech left out of segments', read: ({ droppedMs }) => droppedMs / 1000 },
  { name: 'busy_seconds', help: 'Time that listening took', read: ({ busyMs }) => busyMs / 1000 },
];

/** Sentences that get their words from the recording. */
export function laterTranscriptMetrics(registry: Registry, read: () => LaterTranscriptStats): void {
  const registers = [registry];
  new Gauge({
    name: 'voice_transcripts_waiting_calls',
    help: 'Calls with sentences that get their words from the recording',
    registers,
    collect() {
      this.set(read().calls);
    },
  });
  new Counter({
    name: 'voice_transcripts_later_lines_total',
    help: 'Sentences that were listened to in the recording, by what came of it',
    labelNames: ['outcome'],
    registers,
    collect() {
      const { lines, failed } = read();
      this.reset();
      this.inc({ outcome: 'words' }, lines);
      this.inc({ outcome: 'failed' }, failed);
    },
  });
}

/** Segments, rejected or noisy, that a second ear was asked about, by what came of it. */
export interface SecondEarFigures extends SecondEarOutcomes {
  /** The same of segments that it heard besides, while they went on. */
  besides: SecondEarOutcomes;
  /** How well sentences fit what it heard in noise: told; wanted, but it was too late; wanted, but another caller waited for words. */
  fits: { told: number; late: number; leftOut: number };
  /** What it heard in a pause, before anybody knew that it was the end: served; for nothing, since the caller went on. */
  ahead: { served: number; forNothing: number };
}

interface SecondEarOutcomes {
  understood: number;
  nothing: number;
  late: number;
}

export function secondEarMetrics(registry: Registry, read: () => SecondEarFigures): void {
  const count = (name: string, help: string, pick: (figures: SecondEarFigures) => Record<string, number>) =>
    new Counter({
      name,
      help,
      labelNames: ['outcome'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [outcome, value] of Object.entries(pick(read()))) this.inc({ outcome }, value);
      },
    });
  const words = ({ understood, late, nothing }: SecondEarOutcomes) => ({ words: understood, late, nothing });
  count(
    'voice_asr_second_ear_total',
    'Segments that a second ear was asked about, rejected or noisy, by what came of it',
    words,
  );
  count(
    'voice_asr_second_ear_besides_total',
    'Beginnings of greetings that a second ear heard besides, by what came of it',
    ({ besides }) => words(besides),
  );
  count(
    'voice_asr_second_ear_fits_total',
    'Segments in noise of which a second ear was to tell how well sentences fit, by what came of it',
    ({ fits: { told, late, leftOut } }) => ({ told, late, 'left-out': leftOut }),
  );
  count(
    'voice_asr_second_ear_ahead_total',
    'Segments in noise that a second ear heard while the caller paused, by what came of it',
    ({ ahead: { served, forNothing } }) => ({ served, 'for-nothing': forNothing }),
  );
}

/** The recogniser's figures, asked for once when they are scraped. Counts begin anew with a thread that died. */
export function recognizerMetrics(registry: Registry, read: () => Promise<RecognizerFigures>): void {
  const registers = [registry];
  const ask = askedOnce(read);
  for (const { name, help, read: pick } of COUNTS) {
    new Counter({
      name: `voice_asr_${name}_total`,
      help,
      registers,
      async collect() {
        const figures = await ask();
        this.reset();
        this.inc(pick(figures));
      },
    });
  }
  new Gauge({
    name: 'voice_asr_backlog_seconds',
    help: 'Speech that waits to be taken down',
    registers,
    async collect() {
      this.set((await ask()).backlogMs / 1000);
    },
  });
}

import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Studio } from './audio/studio.ts';
import { describeCaller } from './corpus/people.ts';
import type { Conversation, Section } from './corpus/types.ts';
import { fetchRecord, peekRecord } from './play/fetch-record.ts';
import { play } from './play/play.ts';
import { prepareSteps } from './play/prepare.ts';
import { BASELINES, type Connectors, OURS, type Variant } from './play/variants.ts';
import { type ScoredCall, scoreCall } from './score/score-call.ts';

/** Callers do not begin in the same instant: in step they would all speak and all listen at once. */
const STAGGER_MS = 700;
/** Calls at once in the section that is about load. */
const LOAD = 20;

export interface Job {
  readonly conversation: Conversation;
  readonly variant: Variant;
}

export interface RunOptions {
  readonly connectors: Connectors;
  readonly studio: Studio;
  readonly concurrency: number;
  readonly baseline: boolean;
  readonly limitMs: number;
  readonly signal: AbortSignal;
  /** Told of each call when it has been judged, with its recording. */
  readonly onCall: (call: ScoredCall, recording: Buffer | undefined) => void;
  readonly onNote: (text: string) => void;
}

/** Sections that are played together, and how many conversations at once. */
export interface Round {
  readonly sections: readonly Section[];
  readonly atOnce: number;
}

/** One call at a time where latency is the point, all at once where load is, and the rest between. */
export function roundsOf(sections: readonly Section[], asked: number): Round[] {
  const rest = sections.filter((section) => section !== 'latency' && section !== 'load');
  const rounds: Round[] = [
    { sections: sections.filter((section) => section === 'latency'), atOnce: 1 },
    { sections: rest, atOnce: asked },
    { sections: sections.filter((section) => section === 'load'), atOnce: LOAD },
  ];
  return rounds.filter((round) => round.sections.length > 0);
}

/** Variants stand side by side in time, so that a drift of the machine meets them alike. */
export function jobsOf(conversations: readonly Conversation[], baseline: boolean): Job[] {
  return conversations.flatMap((conversation) => {
    const variants = [OURS, ...(baseline && conversation.baseline ? BASELINES : [])];
    return variants.map((variant) => ({ conversation, variant }));
  });
}

/** Plays round by round and judges each call when it is over. Returns the conversations that were left out for lack of time. */
export async function runCorpus(corpus: readonly Conversation[], options: RunOptions): Promise<number> {
  const { connectors, studio, signal, onNote } = options;
  const until = Date.now() + options.limitMs;
  const sections = [...new Set(corpus.map((each) => each.section))];
  for (const conversation of corpus) await prepareSteps(conversation, studio);
  let leftOut = 0;
  for (const round of roundsOf(sections, options.concurrency)) {
    const jobs = jobsOf(
      corpus.filter((each) => round.sections.includes(each.section)),
      options.baseline,
    );
    for (const variant of new Set(jobs.map((job) => job.variant))) await connectors.get(variant);
    const workers = Math.min(round.atOnce, jobs.length);
    onNote(
      `${round.sections.join(', ')}: ${jobs.length} conversations, ${workers} at once, load ${loadavg()[0]!.toFixed(1)}`,
    );
    const work = async (_: unknown, place: number) => {
      await sleep(place * STAGGER_MS);
      for (let job = jobs.shift(); job; job = jobs.shift()) {
        if (Date.now() > until || signal.aborted) leftOut++;
        else await playJob(job, options);
      }
    };
    await Promise.all(Array.from({ length: workers }, work));
  }
  return leftOut;
}

async function playJob({ conversation, variant }: Job, options: RunOptions): Promise<void> {
  const connector = await options.connectors.get(variant);
  const to = `sip:bank@127.0.0.1:${connector.sipPort}`;
  const played = await play(conversation, {
    to,
    variant,
    studio: options.studio,
    peek: (sipCallId) => peekRecord(connector, sipCallId),
  });
  const record = await fetchRecord(connector, played.sipCallId);
  if (!record)
    options.onNote(`${conversation.id} ${variant}: the API does not show the call; only its sound is judged`);
  const scored = scoreCall(played, record);
  const { voice, rate } = describeCaller(conversation.caller);
  const trouble = scored.trouble ? `, ended early: ${scored.trouble}` : '';
  options.onNote(
    `  ${conversation.id} ${variant}, ${voice}${rate === 1 ? '' : ` at ${rate}`}: ${scored.moments.length} moments${trouble}`,
  );
  options.onCall(scored, played.recording);
}

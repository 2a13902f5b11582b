import type { Timekeeper } from '../core/alarm.ts';
import type { Logger } from '../core/log.ts';
import type { LanguageModel } from '../dialogue/models/language-model.ts';
import type { RequestedAction } from '../dialogue/questions/errands.ts';
import type { EndpointingPolicy } from '../dialogue/turn-taking/endpointing.ts';
import type { IdleOptions } from '../dialogue/turn-taking/idle.ts';
import type { CodecName } from '../media/codecs/codec.ts';
import type { MediaEngine } from '../media/ports.ts';
import type { Recognizer, Synthesizer } from '../speech/ports.ts';
import type { Bot } from './bot/bots.ts';
import type { ScreeningManner } from './bot/screening.ts';
import type { HandoverDeps } from './handover/handover-deps.ts';
import type { CallLeg } from './legs/call-leg.ts';
import type { CallLine } from './legs/call-line.ts';
import type { Dialler } from './legs/dialler.ts';
import type { RecallSigns } from './people/parties.ts';
import type { CallJournal, SessionRecord, UtteranceRecord } from './record/records.ts';
import type { SipTraces } from './record/sip-ladder.ts';
import type { Recordings } from './recording/recordings.ts';
import type { CallRegistry } from './registry.ts';

/** What every call needs, whoever dialled. */
export interface CallDeps {
  time: Timekeeper;
  log: Logger;
  recordings: Recordings;
  /** Who answers this call. */
  botFor(leg: CallLeg): Bot;
  /** False: the call is answered and carried, but no bot speaks (media tests, load tests). */
  speech: boolean;
  media: MediaEngine;
  recognizer: Recognizer;
  localRecognizer: Recognizer;
  synthesizer: Synthesizer;
  model: LanguageModel;
  journal: CallJournal;
  registry: CallRegistry;
  /** A line of this call was only taken down: its words may come from its recording. */
  onUntranscribed?: ((line: UtteranceRecord) => void) | undefined;
  /** Without it calls keep no SIP messages. */
  sipTraces?: SipTraces | undefined;
  idle: IdleOptions;
  /** The codecs in use. Default: all. */
  codecs?: readonly CodecName[];
  endpointing: EndpointingPolicy;
  contextTtlMs: number;
  /** Who can be called during a call; undefined: nobody. */
  dialler?: (() => Dialler) | undefined;
  /** What gives a caller back to the bot. */
  recall: RecallSigns;
  /** How callers come to people; undefined: not at all. */
  handover?: HandoverDeps | undefined;
}

/** How a call begins, whoever dialled. */
export interface CallOpening {
  line: CallLine;
  bot: Bot;
  /** What stands in the record from the first moment on. */
  record: SessionRecord;
  /** The number the customer calls from or is called at; '' when it is not known. */
  customerPhone: string;
  /** What the bot begins with instead of its greeting. */
  begin?: RequestedAction;
  /** What is done when a machine answers. Undefined: the bot speaks at once, to whoever it is. */
  screening?: ScreeningManner | undefined;
  /** Somebody or something has picked up. Must not throw. */
  onAnswered?(): void;
}

import type { Announcement, SayOutcome } from '../call/bot/say.ts';
import type { HandoverRefusal, HandoverRequest } from '../call/handover/handover-desk.ts';
import type { HandoverStatus } from '../call/handover/handover-status.ts';
import type { SipTrace } from '../call/record/sip-ladder.ts';

/** What staff and integrators can do in a call that goes on, by its sessionId; implemented by Calls. */
export interface LiveCalls {
  /** Ends it; false when it is not live. */
  hangup(sessionId: string): Promise<boolean>;
  /** Has something said in the bot's voice. */
  say(sessionId: string, announcement: Announcement): SayOutcome;
  /** Its SIP messages so far; undefined when it is not live. */
  sipTrace(sessionId: string): SipTrace | undefined;
  /** Keeps both sides out of the recording, or records them again. */
  pauseRecording(sessionId: string, paused: boolean): 'done' | 'not-recorded' | 'not-live';
  /** Hands the caller over to a person. */
  transfer(sessionId: string, request: HandoverRequest): HandoverStatus | HandoverRefusal;
  /** The last hand-over; undefined: there was none, or the call is not live. */
  handover(sessionId: string): HandoverStatus | undefined;
  /** Takes the caller back; false when nothing goes on that could be taken back. */
  recall(sessionId: string): boolean;
}

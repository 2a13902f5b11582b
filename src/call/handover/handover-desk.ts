import type { HandoverWay } from './handover-status.ts';

/** A hand-over as it is asked for: of a number or URI, or of a queue. */
export interface HandoverRequest {
  to?: string;
  queue?: string;
  /** Default auto, or what the queue says of each person. */
  how?: HandoverWay;
}

/** Why none was begun: see REFUSALS in http/routes/transfer.ts. */
export type HandoverRefusal = 'not-live' | 'not-answered' | 'pending' | 'no-queue';

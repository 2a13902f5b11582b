/** Speaking in a call on request: what a request is, and what becomes of it. */
export { type Announcement, defaultMode } from '../../dialogue/speaking/announcements.ts';

/** `silent`: no bot speaks in this call, or not any more; `full`: too much waits to be said; `not-live`: no such call. */
export type SayOutcome = 'taken' | 'full' | 'silent' | 'not-live';

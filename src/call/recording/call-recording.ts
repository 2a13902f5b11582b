import type { RecordingConsent } from '../../dialogue/recording-consent.ts';
import type { MediaReport, MediaSession } from '../../media/ports.ts';
import type { BotProfile } from '../bot/bot-profile.ts';
import { recordingRow } from '../record/call-rows.ts';
import type { CallJournal } from '../record/records.ts';
import type { CallScribe } from '../record/scribe.ts';
import type { Recordings } from './recordings.ts';

export interface CallRecordingOptions {
  /** What the bot tells and asks about it; undefined: recorded without a word. */
  manner: BotProfile['recording'];
  recordings: Recordings;
  scribe: CallScribe;
  journal: CallJournal;
}

/** The recording of one call: whether there is one, who agreed to it, and when it rests. */
export class CallRecording {
  readonly #o: CallRecordingOptions;
  /** Where the call is now. */
  #session: MediaSession | undefined;
  /** What is recorded, and where, relative to the data folder. */
  #running: { session: MediaSession; path: string } | undefined;
  #awaitsConsent = false;
  #paused = false;
  #endsAt: Date | undefined;

  constructor(options: CallRecordingOptions) {
    this.#o = options;
  }

  /** Before the first packet. A call that goes on at another place is recorded anew: nobody had answered before. */
  begin(session: MediaSession): void {
    if (this.#session === session) return;
    const { recordings, scribe, manner } = this.#o;
    if (manner?.mode === 'off' && this.#session === undefined) scribe.event('recording-off');
    this.#session = session;
    if (manner?.mode === 'off') return;
    const path = recordings.pathOf(scribe.record);
    const { file, options } = recordings.begin(path);
    session.record(file, options);
    this.#running = { session, path };
    this.#awaitsConsent = manner?.mode === 'after-consent';
    if (this.#awaitsConsent) session.pauseRecording(true);
  }

  /** What the caller is told of the recording; only where there is one. */
  get consent(): RecordingConsent | undefined {
    const { manner, scribe } = this.#o;
    if (manner?.announcement === undefined || this.#running === undefined) return undefined;
    const { announcement, declineKey, declined } = manner;
    const onSettled = (recorded: boolean) => {
      scribe.event(recorded ? 'recording-consented' : 'recording-declined');
      if (!recorded) this.#discard();
      else if (this.#awaitsConsent) this.#running?.session.pauseRecording(this.#paused);
      this.#awaitsConsent = false;
    };
    return { announcement, declineKey, declined, onSettled };
  }

  /** Keeps both sides out of the recording for a while. False: nothing is recorded. */
  pause(paused: boolean): boolean {
    if (this.#running === undefined) return false;
    if (paused !== this.#paused) this.#o.scribe.event(paused ? 'recording-paused' : 'recording-resumed');
    this.#paused = paused;
    this.#o.scribe.keysHidden = paused;
    if (!this.#awaitsConsent) this.#running.session.pauseRecording(paused);
    return true;
  }

  /** The call is over; the media session is about to be closed. Who never answered has not consented. */
  settle(): void {
    this.#endsAt = this.#o.scribe.time();
    if (this.#awaitsConsent) this.#discard();
  }

  /** The session has been closed: the record gets what is on disk. `recording` undefined: it broke off. */
  async finished(recording: MediaReport['recording']): Promise<void> {
    if (this.#running === undefined) return;
    const { journal, scribe, recordings } = this.#o;
    if (recording === undefined) {
      const row = await recordings.brokenOff(scribe.record);
      if (row) journal.append({ kind: 'recording', row });
      return;
    }
    const { path } = this.#running;
    // It has all its time, gaps of dead workers as well, so its beginning follows from its end.
    const beganAt = this.#endsAt && new Date(this.#endsAt.getTime() - recording.durationMs);
    const row = recordingRow(scribe.record, path, recording, beganAt);
    journal.append({ kind: 'recording', row });
    void recordings.finished(path, (encoded) => {
      journal.append({ kind: 'recording', row: { ...row, ...encoded } });
      return journal.flush();
    });
  }

  #discard(): void {
    this.#running?.session.discardRecording();
    this.#running = undefined;
  }
}

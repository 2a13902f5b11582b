import type { Logger } from '../core/log.ts';
import type { MediaEvent } from '../media/ports.ts';
import type { CallBot } from './bot/call-bot.ts';
import type { LegKeys } from './legs/leg-keys.ts';
import type { EndCause } from './record/outcome.ts';
import type { CallScribe } from './record/scribe.ts';

/** Whom in a call its media plane has something to tell. */
export interface MediaListeners {
  scribe: CallScribe;
  keys: LegKeys;
  /** Undefined: no bot speaks, or not yet. */
  bot: CallBot | undefined;
  end(cause: EndCause): void;
  log: Logger;
}

/** What the media plane tells of the caller's leg: written down, the end of the call, or for the keys or the bot. */
export function takeMediaEvent(event: MediaEvent, { scribe, keys, bot, end, log }: MediaListeners): void {
  switch (event.type) {
    case 'rtp-started':
      scribe.event('rtp-started', { from: event.from });
      return;
    case 'rtp-timeout':
      // Before the answer silence is no fault: the far end may ring without a sound.
      if (scribe.record.answerTime === undefined) return;
      scribe.event('rtp-timeout', { silentMs: Math.round(event.silentMs) });
      end('media-timeout');
      return;
    case 'media-interrupted': {
      const { gapMs, recordingLostMs, message } = event;
      scribe.event('media-interrupted', {
        gapMs: Math.round(gapMs),
        recordingLostMs: Math.round(recordingLostMs),
        message,
      });
      // The dead worker took the caller's audio with it, and the recogniser's end of that line.
      bot?.hearAnew();
      return;
    }
    case 'media-failed':
      scribe.event('media-failed', { message: event.message });
      end('media-failed');
      return;
    case 'recording-failed':
      log.error({ reason: event.message }, 'recording failed');
      scribe.event('recording-failed', { message: event.message });
      return;
    case 'dtmf':
    case 'dtmf-end':
      keys.byMedia(event);
      return;
    default:
      bot?.onMedia(event);
  }
}

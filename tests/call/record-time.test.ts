import { expect, it } from 'vitest';
import { CallRecording } from '../../src/call/recording/call-recording.ts';
import { Recordings } from '../../src/call/recording/recordings.ts';
import { silentLogger } from '../../src/core/log.ts';
import type { MediaSession } from '../../src/media/ports.ts';
import { scribing } from './scribing.ts';

const START = Date.parse('2026-11-26T12:00:00Z');

it.each([
  ['back by an hour', -3_600_000],
  ['on by a day', 86_400_000],
])(
  'a call during which the clock is set %s has lasted as long as it did, its events stand in order, its recording beside them',
  async (_how, jump) => {
    let elapsed = 0;
    let set = 0;
    const clock = { now: () => 5000 + elapsed, wall: () => new Date(START + elapsed + set) };
    const { scribe, journal, kept } = scribing(clock);
    const recordings = new Recordings({ dataDir: '.', keys: undefined, delaySeconds: 0, log: silentLogger });
    const recording = new CallRecording({ manner: undefined, recordings, scribe, journal });
    scribe.event('call-started');
    elapsed = 1000;
    recording.begin({ record: () => undefined } as Partial<MediaSession> as MediaSession);
    scribe.session({ answerTime: scribe.time() });
    set = jump;
    elapsed = 60_000;
    const line = {
      key: 'u',
      speaker: 'caller',
      text: 'hello',
      heard: 'hello',
      interrupted: false,
      source: 'speech',
    } as const;
    scribe.utterance({ ...line, startedAt: clock.now() - 800, endedAt: clock.now() });
    scribe.event('call-ended');
    recording.settle();
    await recording.finished({ path: '', durationMs: 59_000, bytes: 944_044 });
    scribe.session({ callEndTime: scribe.time() });
    expect(scribe.record.callEndTime!.getTime() - scribe.record.callStartTime.getTime()).toBe(60_000);
    const times = kept.flatMap((entry) =>
      entry.kind === 'event'
        ? [entry.row.at]
        : entry.kind === 'utterance'
          ? [entry.row.startedAt, entry.row.endedAt!]
          : entry.kind === 'recording'
            ? [entry.row.createdAt]
            : [],
    );
    expect(times.map((time) => time.getTime() - START)).toEqual([0, 59_200, 60_000, 60_000, 1000]);
  },
);

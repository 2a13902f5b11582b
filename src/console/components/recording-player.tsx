import { useEffect, useState } from 'react';
import { api } from '../api/client.ts';
import type { Peaks, Recording } from '../api/types.ts';
import { duration, size } from '../format.ts';
import type { Player } from '../hooks/use-player.ts';
import { DownloadIcon, PauseIcon, PlayIcon } from './icons.tsx';
import { Waveform } from './waveform.tsx';

const SPEEDS = [1, 1.25, 1.5, 2];

export interface RecordingPlayerProps {
  sessionId: string;
  recording: Recording;
  player: Player;
}

export function RecordingPlayer({ sessionId, recording, player }: RecordingPlayerProps) {
  const [peaks, setPeaks] = useState<Peaks>();
  const [speed, setSpeed] = useState(1);
  useEffect(() => {
    const abort = new AbortController();
    // Without a waveform the slider still works, so its failure is not worth a message.
    api.peaks(sessionId, abort.signal).then(setPeaks, () => undefined);
    return () => abort.abort();
  }, [sessionId]);

  const { audio, playing, at, failed, toggle, seek } = player;
  const nextSpeed = () => {
    const next = SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length]!;
    setSpeed(next);
    if (audio.current) audio.current.playbackRate = next;
  };

  return (
    <section className="panel recording" aria-label="Recording">
      {/* biome-ignore lint/a11y/useMediaCaption: the transcript below is the text of it */}
      <audio ref={audio} src={recording.url} preload="metadata" />
      <button type="button" className="play" onClick={toggle} aria-label={playing ? 'Pause' : 'Play the recording'}>
        {playing ? <PauseIcon /> : <PlayIcon />}
      </button>
      <Waveform peaks={peaks} durationMs={recording.durationMs} at={at} onSeek={seek} />
      <div className="recording-foot">
        <span className="legend caller">Caller</span>
        <span className="legend assistant">Assistant</span>
        <span className="clock">
          {duration(at)} / {duration(recording.durationMs)}
        </span>
        <button type="button" className="button quiet" onClick={nextSpeed} aria-label={`Speed ${speed} times`}>
          {speed}×
        </button>
        <a
          className="button quiet"
          href={`${recording.url}?download=true`}
          download
          aria-label={`Download the recording, ${size(recording.bytes)}`}
          title={`Download, ${size(recording.bytes)}`}
        >
          <DownloadIcon />
        </a>
      </div>
      {failed && (
        <p className="form-error" role="alert">
          The recording cannot be played. It may not be on disk any more.
        </p>
      )}
    </section>
  );
}

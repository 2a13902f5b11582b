import { type RefObject, useCallback, useEffect, useRef, useState } from 'react';

export interface Player {
  audio: RefObject<HTMLAudioElement | null>;
  playing: boolean;
  /** Milliseconds, renewed about ten times a second while playing. */
  at: number;
  failed: boolean;
  toggle(): void;
  /** Milliseconds from the start of the recording. */
  seek(ms: number, play?: boolean): void;
}

/** Drives one audio element. */
export function usePlayer(durationMs: number): Player {
  const audio = useRef<HTMLAudioElement>(null);
  const [playing, setPlaying] = useState(false);
  const [failed, setFailed] = useState(false);
  const [at, setAt] = useState(0);

  useEffect(() => {
    const element = audio.current;
    if (!element) return;
    const sync = () => setAt(element.currentTime * 1000);
    const started = () => setPlaying(true);
    const stopped = () => {
      setPlaying(false);
      sync();
    };
    const broken = () => setFailed(true);
    element.addEventListener('play', started);
    element.addEventListener('pause', stopped);
    element.addEventListener('ended', stopped);
    element.addEventListener('seeked', sync);
    element.addEventListener('error', broken);
    return () => {
      element.removeEventListener('play', started);
      element.removeEventListener('pause', stopped);
      element.removeEventListener('ended', stopped);
      element.removeEventListener('seeked', sync);
      element.removeEventListener('error', broken);
    };
  }, []);

  useEffect(() => {
    if (!playing) return;
    const timer = window.setInterval(() => setAt((audio.current?.currentTime ?? 0) * 1000), 100);
    return () => window.clearInterval(timer);
  }, [playing]);

  const toggle = useCallback(() => {
    const element = audio.current;
    if (!element) return;
    if (element.paused) void element.play().catch(() => setFailed(true));
    else element.pause();
  }, []);

  const seek = useCallback(
    (ms: number, play = false) => {
      const element = audio.current;
      if (!element) return;
      const target = Math.min(Math.max(0, ms), durationMs);
      element.currentTime = target / 1000;
      setAt(target);
      if (play) void element.play().catch(() => setFailed(true));
    },
    [durationMs],
  );

  return { audio, playing, at, failed, toggle, seek };
}

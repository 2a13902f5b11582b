import { type KeyboardEvent, type PointerEvent, useEffect, useRef } from 'react';
import type { Peaks } from '../api/types.ts';
import { duration } from '../format.ts';

export interface WaveformProps {
  peaks: Peaks | undefined;
  durationMs: number;
  /** Milliseconds played. */
  at: number;
  onSeek: (ms: number) => void;
}

const STEP_MS = 5000;

/** Both channels, the caller above the line and the assistant below it, drawn on a canvas; a slider to the keyboard. */
export function Waveform({ peaks, durationMs, at, onSeek }: WaveformProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const draw = useRef<() => void>(() => undefined);
  draw.current = () => {
    if (canvas.current) paint(canvas.current, peaks, durationMs > 0 ? at / durationMs : 0);
  };

  useEffect(() => draw.current());
  useEffect(() => {
    const repaint = () => draw.current();
    const observer = new ResizeObserver(repaint);
    if (canvas.current) observer.observe(canvas.current);
    const dark = window.matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', repaint);
    return () => {
      observer.disconnect();
      dark.removeEventListener('change', repaint);
    };
  }, []);

  const toPointer = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    onSeek(((event.clientX - box.left) / box.width) * durationMs);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const targets: Record<string, number> = {
      ArrowLeft: at - STEP_MS,
      ArrowDown: at - STEP_MS,
      ArrowRight: at + STEP_MS,
      ArrowUp: at + STEP_MS,
      PageDown: at - 6 * STEP_MS,
      PageUp: at + 6 * STEP_MS,
      Home: 0,
      End: durationMs,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    onSeek(target);
  };

  return (
    <div
      className="waveform"
      role="slider"
      tabIndex={0}
      aria-label="Place in the recording"
      aria-valuemin={0}
      aria-valuemax={Math.round(durationMs / 1000)}
      aria-valuenow={Math.round(at / 1000)}
      aria-valuetext={`${duration(at)} of ${duration(durationMs)}`}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        toPointer(event);
      }}
      onPointerMove={(event) => {
        if (event.buttons & 1) toPointer(event);
      }}
    >
      <canvas ref={canvas} />
    </div>
  );
}

const BAR = 2;
const GAP = 1;

function paint(canvas: HTMLCanvasElement, peaks: Peaks | undefined, progress: number): void {
  const context = canvas.getContext('2d');
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!context || width === 0) return;
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const middle = height / 2;
  const playedTo = width * progress;
  const lanes = [
    { levels: peaks?.channels[0], up: true, colour: colour('--caller') },
    { levels: peaks?.channels[1], up: false, colour: colour('--assistant') },
  ];
  context.fillStyle = colour('--line');
  context.fillRect(0, middle - 0.5, width, 1);
  for (const { levels, up, colour: lane } of lanes) {
    if (!levels) continue;
    context.fillStyle = lane;
    for (let x = 0; x < width; x += BAR + GAP) {
      const from = Math.floor((x / width) * levels.length);
      const to = Math.max(from + 1, Math.floor(((x + BAR + GAP) / width) * levels.length));
      const level = Math.max(0, ...levels.slice(from, to));
      // A root, because loudness is heard so: quiet speech would otherwise vanish.
      const bar = Math.sqrt(level) * (middle - 2);
      if (bar < 0.75) continue;
      context.globalAlpha = x <= playedTo ? 1 : 0.38;
      context.fillRect(x, up ? middle - 1 - bar : middle + 1, BAR, bar);
    }
  }
  context.globalAlpha = 1;
  if (progress > 0) {
    context.fillStyle = colour('--text');
    context.fillRect(Math.min(playedTo, width - 1.5), 0, 1.5, height);
  }
}

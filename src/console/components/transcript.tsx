import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { CallDetail } from '../api/types.ts';
import { DownIcon } from './icons.tsx';
import { UtteranceRow } from './utterance-row.tsx';

export interface TranscriptProps {
  call: CallDetail;
  /** Time of the recording's first sample, epoch milliseconds. */
  origin: number;
  /** The utterance being played. */
  speaking: string | undefined;
  onSeek: ((ms: number) => void) | undefined;
}

/** What was said, by whom. A live call's is followed to its end, unless the reader has scrolled up. */
export function Transcript({ call, origin, speaking, onSeek }: TranscriptProps) {
  const { utterances, events, live } = call;
  const replaced = useMemo(
    () => new Set(events.filter(({ type }) => type === 'replaced').map(({ data }) => data.utteranceId)),
    [events],
  );
  const box = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const [behind, setBehind] = useState(false);
  const seek = useRef(onSeek);
  seek.current = onSeek;
  const stableSeek = useCallback((ms: number) => seek.current?.(ms), []);

  const toEnd = () => {
    box.current?.scrollTo({ top: box.current.scrollHeight });
    following.current = true;
    setBehind(false);
  };
  const onScroll = () => {
    const element = box.current;
    if (!element) return;
    following.current = element.scrollHeight - element.scrollTop - element.clientHeight < 60;
    if (following.current) setBehind(false);
  };

  const newest = utterances.at(-1);
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the newest utterance is new or has grown
  useLayoutEffect(() => {
    if (!live || !box.current) return;
    if (following.current) box.current.scrollTop = box.current.scrollHeight;
    else setBehind(true);
  }, [live, newest?.utteranceId, newest?.text]);

  useEffect(() => {
    if (!speaking) return;
    const row = box.current?.querySelector(`[data-utterance="${speaking}"]`);
    row?.scrollIntoView({ block: 'nearest' });
  }, [speaking]);

  return (
    <section className={`panel transcript${live ? ' is-live' : ''}`} aria-labelledby="transcript-title">
      <h2 id="transcript-title">Transcript</h2>
      {utterances.length === 0 && (
        <p className="empty">{live ? 'Nobody has spoken yet.' : 'Nothing was said in this call.'}</p>
      )}
      <div
        ref={box}
        className="transcript-scroll"
        onScroll={onScroll}
        role="log"
        aria-live={live ? 'polite' : 'off'}
        aria-label="Transcript"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
      >
        <ol>
          {utterances.map((utterance) => (
            <UtteranceRow
              key={utterance.utteranceId}
              utterance={utterance}
              offsetMs={new Date(utterance.startedAt).getTime() - origin}
              replaced={replaced.has(utterance.utteranceId)}
              speaking={utterance.utteranceId === speaking}
              onSeek={onSeek ? stableSeek : undefined}
            />
          ))}
        </ol>
      </div>
      {behind && (
        <button type="button" className="button to-end" onClick={toEnd}>
          <DownIcon />
          New words below
        </button>
      )}
    </section>
  );
}

import { memo, useState } from 'react';
import type { Timings, Utterance } from '../api/types.ts';
import { duration, exactTime, grade, latency, splitHeard } from '../format.ts';
import { TurnBreakdown } from './turn-breakdown.tsx';

const SPEAKER = { caller: 'Caller', assistant: 'Assistant', agent: 'Agent', system: 'System' };

export interface UtteranceRowProps {
  utterance: Utterance;
  /** Milliseconds into the recording. */
  offsetMs: number;
  speaking: boolean;
  /** Cut for something that staff or an integrator wanted said. */
  replaced: boolean;
  onSeek: ((ms: number) => void) | undefined;
}

export const UtteranceRow = memo(function UtteranceRow({
  utterance,
  offsetMs,
  speaking,
  replaced,
  onSeek,
}: UtteranceRowProps) {
  const { speaker, timings, utteranceId } = utterance;
  const [open, setOpen] = useState(false);
  const at = duration(Math.max(0, offsetMs));
  return (
    <li className={`utterance ${speaker}${speaking ? ' speaking' : ''}`} data-utterance={utteranceId}>
      {onSeek ? (
        <button
          type="button"
          className="at"
          onClick={() => onSeek(Math.max(0, offsetMs))}
          aria-label={`Play from ${at}`}
          title={exactTime(utterance.startedAt)}
        >
          {at}
        </button>
      ) : (
        <time className="at" dateTime={utterance.startedAt} title={exactTime(utterance.startedAt)}>
          {at}
        </time>
      )}
      <div className="said">
        <p className="who">
          {SPEAKER[speaker]}
          {utterance.source === 'say:api' && <span className="tag">on request</span>}
          {utterance.source === 'dtmf' && <span className="tag">keypad</span>}
          {speaker === 'caller' && utterance.confidence !== null && utterance.confidence < 0.6 && (
            <span className="tag">unsure, {Math.round(utterance.confidence * 100)} %</span>
          )}
        </p>
        <Words utterance={utterance} replaced={replaced} />
        {open && timings && <TurnBreakdown timings={timings} />}
      </div>
      {timings && <LatencyButton timings={timings} open={open} onToggle={() => setOpen(!open)} />}
    </li>
  );
});

function Words({ utterance, replaced }: { utterance: Utterance; replaced: boolean }) {
  const { text, heard, interrupted, speaker } = utterance;
  if (speaker === 'caller' || !interrupted) return <p className="words">{text}</p>;
  const parts = splitHeard(text, heard);
  return (
    <>
      <p className="words">
        {parts ? parts.heard : heard}
        {parts ? <del title="The caller did not hear this">{parts.rest}</del> : null}
      </p>
      {!parts && (
        <p className="words">
          <del title="What was generated">{text}</del>
        </p>
      )}
      <p className="interrupted">
        {replaced ? 'Cut for an announcement' : 'Interrupted by the caller'}
        {heard ? '' : ' before a word was heard'}
      </p>
    </>
  );
}

function LatencyButton({ timings, open, onToggle }: { timings: Timings; open: boolean; onToggle: () => void }) {
  const ms = timings.firstPacketMs;
  if (ms === undefined) return null;
  return (
    <button
      type="button"
      className={`latency ${grade(ms)}`}
      aria-expanded={open}
      onClick={onToggle}
      title="From the end of the caller’s speech to the first packet of the answer"
    >
      <span className="visually-hidden">Answered after </span>
      {latency(ms)}
    </button>
  );
}

import type { Timings } from '../api/types.ts';
import { latency } from '../format.ts';

const STEPS: { key: Exclude<keyof Timings, 'endpointReason'>; name: string }[] = [
  { key: 'endpointMs', name: 'End of turn' },
  { key: 'asrFinalMs', name: 'Transcript' },
  { key: 'firstTokenMs', name: 'First words' },
  { key: 'firstAudioMs', name: 'First audio' },
  { key: 'firstPacketMs', name: 'First packet' },
];

const REASONS: Record<string, string> = {
  complete: 'complete sentence',
  incomplete: 'silence, sentence open',
  unheard: 'silence, nothing understood',
  doubtful: 'hardly understood',
  'too-long': 'time limit',
  model: 'end-of-turn model',
};

/** When each step of an answer was reached, counted from the end of the caller's speech. */
export function TurnBreakdown({ timings }: { timings: Timings }) {
  const longest = Math.max(1, ...STEPS.map(({ key }) => timings[key] ?? 0));
  return (
    <dl className="breakdown">
      {STEPS.map(({ key, name }) => {
        const ms = timings[key];
        if (ms === undefined) return null;
        return (
          <div key={key}>
            <dt>{name}</dt>
            <dd>
              <span className="track">
                <span className="bar" style={{ width: `${(100 * ms) / longest}%` }} />
              </span>
              <span className="figure">{latency(ms)}</span>
            </dd>
          </div>
        );
      })}
      {timings.endpointReason !== undefined && (
        <div>
          <dt>Turn ended by</dt>
          <dd>{REASONS[timings.endpointReason] ?? timings.endpointReason}</dd>
        </div>
      )}
      {timings.bargeInToSilenceMs !== undefined && (
        <div>
          <dt>Barge-in stop</dt>
          <dd className="alone">
            <span className="figure">{latency(timings.bargeInToSilenceMs)}</span>
          </dd>
        </div>
      )}
    </dl>
  );
}

import type { Utterance } from '../api/types.ts';
import { grade, latency } from '../format.ts';

/** Every answer's voice-to-voice time as one bar, so that the slow turn stands out. */
export function ResponseTimes({ utterances }: { utterances: Utterance[] }) {
  const times = utterances.flatMap((one) =>
    one.timings?.firstPacketMs === undefined ? [] : [{ id: one.utteranceId, ms: one.timings.firstPacketMs }],
  );
  if (times.length === 0) return null;
  const sorted = times.map(({ ms }) => ms).sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)]!;
  const longest = sorted.at(-1)!;
  const scale = Math.max(longest, 700);
  const barge = utterances.flatMap((one) =>
    one.timings?.bargeInToSilenceMs === undefined ? [] : [one.timings.bargeInToSilenceMs],
  );
  return (
    <section className="panel" aria-labelledby="times-title">
      <h2 id="times-title">Response times</h2>
      <dl className="figures">
        <div>
          <dt>Median</dt>
          <dd>{latency(median)}</dd>
        </div>
        <div>
          <dt>Longest</dt>
          <dd>{latency(longest)}</dd>
        </div>
        {barge.length > 0 && (
          <div>
            <dt>Silent on barge-in</dt>
            <dd>{latency(Math.max(...barge))}</dd>
          </div>
        )}
      </dl>
      <div className="turn-bars" aria-hidden="true">
        {times.map(({ id, ms }) => (
          <span
            key={id}
            className={grade(ms)}
            style={{ height: `${Math.max(6, (100 * ms) / scale)}%` }}
            title={latency(ms)}
          />
        ))}
      </div>
    </section>
  );
}

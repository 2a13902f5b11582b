import { Fragment } from 'react';
import type { CallEvent } from '../api/types.ts';
import { type EventFact, factsOf } from '../event-facts.ts';
import { duration, exactTime, words } from '../format.ts';

/** What happened beside the words. `start` is the call's start, epoch milliseconds. */
export function Timeline({ events, start }: { events: CallEvent[]; start: number }) {
  return (
    <section className="panel" aria-labelledby="timeline-title">
      <h2 id="timeline-title">Timeline</h2>
      {events.length === 0 && <p className="empty">No events.</p>}
      <ol className="timeline">
        {events.map((event) => (
          <li key={event.eventId}>
            <time dateTime={event.at} title={exactTime(event.at)}>
              {duration(new Date(event.at).getTime() - start)}
            </time>
            <div>
              <span className="event-name">{words(event.type)}</span>
              <Facts facts={factsOf(event.data)} />
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Facts({ facts }: { facts: readonly EventFact[] }) {
  if (facts.length === 0) return null;
  return (
    <span className="event-data">
      {facts.map(({ name, value }, i) => (
        <Fragment key={name}>
          {i > 0 && ' · '}
          {name}: <bdi>{value}</bdi>
        </Fragment>
      ))}
    </span>
  );
}

import { Fragment } from 'react';
import type { CallEvent } from '../api/types.ts';
import { duration, exactTime, plain, words } from '../format.ts';

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
              {Object.keys(event.data).length > 0 && (
                <span className="event-data">
                  {Object.entries(event.data).map(([key, value], i) => (
                    <Fragment key={key}>
                      {i > 0 && ' · '}
                      {words(key)}: <bdi>{plain(value)}</bdi>
                    </Fragment>
                  ))}
                </span>
              )}
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

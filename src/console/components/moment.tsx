import { dayOf, timeOfDay } from '../format.ts';

/** When it was: the time, and the day beside it. `at`: RFC 3339. */
export function Moment({ at }: { at: string }) {
  return (
    <time dateTime={at}>
      {timeOfDay(at)} <span className="muted">{dayOf(at)}</span>
    </time>
  );
}

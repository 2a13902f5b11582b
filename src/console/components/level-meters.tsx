import { useEffect, useRef } from 'react';

const EVERY_MS = 80;

/** How loud both sides are. Read outside of React: ten times a second is no reason to render the page anew. */
export function LevelMeters({ levels, other }: { levels: () => { own: number; theirs: number }; other: string }) {
  const own = useRef<HTMLMeterElement>(null);
  const theirs = useRef<HTMLMeterElement>(null);
  useEffect(() => {
    const timer = window.setInterval(() => {
      const now = levels();
      if (own.current) own.current.value = now.own;
      if (theirs.current) theirs.current.value = now.theirs;
    }, EVERY_MS);
    return () => window.clearInterval(timer);
  }, [levels]);
  return (
    <div className="levels">
      <label>
        You
        <meter ref={own} min={0} max={1} value={0} aria-label="Level of your microphone" />
      </label>
      <label>
        {other}
        <meter ref={theirs} min={0} max={1} value={0} aria-label={`Level of the ${other.toLowerCase()}`} />
      </label>
    </div>
  );
}

/** A word on a ground of its tone: good, bad, warn, info, or live with its dot; `plain` before it: without the ground. */
export function Chip({ tone, text }: { tone: string; text: string }) {
  return (
    <span className={`chip ${tone}`}>
      {tone === 'live' && <span className="dot" aria-hidden="true" />}
      {text}
    </span>
  );
}

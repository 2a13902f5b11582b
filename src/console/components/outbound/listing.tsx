import { type ReactNode, useId } from 'react';

export interface ListingProps {
  title: string;
  loading: boolean;
  error?: string | undefined;
  /** How many there are; undefined until that is known. */
  count: number | undefined;
  /** What to do where there are none. */
  empty: string;
  tools?: ReactNode;
  children: ReactNode;
}

/** A panel with a table; says why there is none, and what went wrong, where the eye is. */
export function Listing({ title, loading, error, count, empty, tools, children }: ListingProps) {
  const id = useId();
  return (
    <section className="panel listing" aria-labelledby={id} aria-busy={loading}>
      <header>
        <h2 id={id}>{title}</h2>
        {tools}
      </header>
      {error && (
        <p className="form-note bad" role="alert">
          {error}
        </p>
      )}
      {count === 0 ? <p className="empty">{empty}</p> : count !== undefined && <div className="table">{children}</div>}
    </section>
  );
}

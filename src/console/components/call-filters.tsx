import { type RefObject, useEffect, useRef, useState } from 'react';
import { type Filters, NO_FILTERS } from '../hooks/use-route.ts';
import { FilterIcon, SearchIcon } from './icons.tsx';

export interface CallFiltersProps {
  filters: Filters;
  onChange: (filters: Filters) => void;
  searchRef: RefObject<HTMLInputElement | null>;
}

const TYPING_PAUSE_MS = 250;

export function CallFilters({ filters, onChange, searchRef }: CallFiltersProps) {
  const [draft, setDraft] = useState(filters);
  const [open, setOpen] = useState(() => Boolean(filters.status || filters.caller || filters.from || filters.to));
  const timer = useRef<number>(undefined);
  useEffect(() => setDraft(filters), [filters]);
  useEffect(() => () => window.clearTimeout(timer.current), []);

  const change = (part: Partial<Filters>, delay = 0) => {
    const next = { ...draft, ...part };
    setDraft(next);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => onChange(next), delay);
  };
  const set = [draft.status, draft.caller, draft.from, draft.to].filter(Boolean).length;

  return (
    <search className="filters">
      <div className="search-row">
        <span className="search-box">
          <SearchIcon />
          <input
            ref={searchRef}
            type="search"
            aria-label="Search in what was said"
            placeholder="Words that were said"
            value={draft.text}
            maxLength={200}
            onChange={(event) => change({ text: event.target.value }, TYPING_PAUSE_MS)}
          />
          <span className="key" aria-hidden="true">
            /
          </span>
        </span>
        <button
          type="button"
          className="button filter-toggle"
          aria-expanded={open}
          aria-controls="more-filters"
          onClick={() => setOpen(!open)}
        >
          <FilterIcon />
          Filters{set > 0 ? ` (${set})` : ''}
        </button>
      </div>
      <div id="more-filters" className="more-filters" hidden={!open}>
        <label>
          <span>Status</span>
          <select value={draft.status} onChange={(event) => change({ status: event.target.value })}>
            <option value="">Any</option>
            <option value="ACTIVE">Active</option>
            <option value="COMPLETED">Completed</option>
            <option value="INTERRUPTED">Interrupted</option>
            <option value="FAILED">Failed</option>
          </select>
        </label>
        <label>
          <span>Caller, or called by us</span>
          <input
            type="text"
            inputMode="tel"
            placeholder="Number or its end"
            maxLength={64}
            value={draft.caller}
            onChange={(event) => change({ caller: event.target.value }, TYPING_PAUSE_MS)}
          />
        </label>
        <label>
          <span>From</span>
          <input type="date" value={draft.from} onChange={(event) => change({ from: event.target.value })} />
        </label>
        <label>
          <span>To</span>
          <input type="date" value={draft.to} onChange={(event) => change({ to: event.target.value })} />
        </label>
        <button
          type="button"
          className="button quiet clear"
          disabled={set === 0 && draft.text === ''}
          onClick={() => change(NO_FILTERS)}
        >
          Clear
        </button>
      </div>
    </search>
  );
}

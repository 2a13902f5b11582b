/** Line icons, drawn for this page; they say nothing to a screen reader, the buttons around them do. */

function Icon({ path }: { path: string }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={path} />
    </svg>
  );
}

export const SearchIcon = () => <Icon path="M13.5 13.5 17 17M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12Z" />;
export const BackIcon = () => <Icon path="M12 4 6 10l6 6" />;
export const CloseIcon = () => <Icon path="m5 5 10 10M15 5 5 15" />;
export const PlayIcon = () => <Icon path="M6 4v12l10-6Z" />;
export const PauseIcon = () => <Icon path="M7 4v12M13 4v12" />;
export const DownloadIcon = () => <Icon path="M10 3v9m-4-4 4 4 4-4M4 16h12" />;
export const FilterIcon = () => <Icon path="M3 5h14M6 10h8M8.5 15h3" />;
export const HangUpIcon = () => <Icon path="M3 12c4-4 10-4 14 0l-2 2.5-3-1.5v-2c-1.300-.4-2.700-.4-4 0v2l-3 1.500Z" />;
export const DownIcon = () => <Icon path="M10 4v12m-5-5 5 5 5-5" />;

export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" className="mark-ground" />
      <g className="mark-bars">
        <rect x="7" y="13" width="3" height="6" rx="1.5" />
        <rect x="12" y="8" width="3" height="16" rx="1.5" />
        <rect x="17" y="11" width="3" height="10" rx="1.5" />
        <rect x="22" y="14" width="3" height="4" rx="1.5" />
      </g>
    </svg>
  );
}

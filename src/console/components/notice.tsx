export interface NoticeProps {
  title: string;
  text: string;
  action?: string;
  onAction?: () => void;
  tone?: 'calm' | 'error';
}

/** What stands where there is nothing to show, and why. */
export function Notice({ title, text, action, onAction, tone = 'calm' }: NoticeProps) {
  return (
    <div className={`notice ${tone}`} role={tone === 'error' ? 'alert' : 'status'}>
      <h2>{title}</h2>
      <p>{text}</p>
      {action && (
        <button type="button" className="button" onClick={onAction}>
          {action}
        </button>
      )}
    </div>
  );
}

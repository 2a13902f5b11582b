export interface NoticeProps {
  title: string;
  text: string;
  action?: string;
  onAction?: () => void;
  tone?: 'calm' | 'error';
  /** It is all there is on the page. */
  alone?: boolean;
}

/** What stands where there is nothing to show, and why. */
export function Notice({ title, text, action, onAction, tone = 'calm', alone = false }: NoticeProps) {
  const Heading = alone ? 'h1' : 'h2';
  return (
    <div className={`notice ${tone}`} role={tone === 'error' ? 'alert' : 'status'}>
      <Heading>{title}</Heading>
      <p>{text}</p>
      {action && (
        <button type="button" className="button" onClick={onAction}>
          {action}
        </button>
      )}
    </div>
  );
}

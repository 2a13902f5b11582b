import type { CallEvent, Session, Utterance } from './types.ts';

export type Connection = 'connecting' | 'open' | 'lost';

export interface LiveHandlers {
  /** The present state; comes first, and again after each reconnect. */
  onSync(active: Session[]): void;
  onSession?(session: Session): void;
  onUtterance?(utterance: Utterance): void;
  onEvent?(event: CallEvent): void;
  /** Events were lost on the way: read again what is shown. */
  onMissed?(): void;
  onConnection?(state: Connection): void;
}

const RETRY_MS = 3000;
/** A tab out of sight gives its connection back: browsers allow six per host, and a tab in sight re-syncs at once. */
const HIDDEN_MS = 20_000;

/** Follows an event stream of the API until the returned function is called. */
export function follow(path: string, handlers: LiveHandlers): () => void {
  let source: EventSource | undefined;
  let retry: number | undefined;
  let hidden: number | undefined;

  const open = () => {
    window.clearTimeout(retry);
    source?.close();
    handlers.onConnection?.('connecting');
    source = new EventSource(`/api/v1${path}`);
    const on = <T>(name: string, take: (data: T) => void) =>
      source?.addEventListener(name, (message) => take(JSON.parse((message as MessageEvent<string>).data) as T));
    on<{ active: Session[] }>('sync', ({ active }) => {
      handlers.onConnection?.('open');
      handlers.onSync(active);
    });
    on<Session>('session', (session) => handlers.onSession?.(session));
    on<{ utterance: Utterance }>('utterance', ({ utterance }) => handlers.onUtterance?.(utterance));
    on<{ event: CallEvent }>('event', ({ event }) => handlers.onEvent?.(event));
    on('missed', () => handlers.onMissed?.());
    source.onerror = () => {
      handlers.onConnection?.('lost');
      // The browser reconnects by itself unless the server refused; then we ask again, more slowly.
      if (source?.readyState === EventSource.CLOSED) {
        window.clearTimeout(retry);
        retry = window.setTimeout(open, RETRY_MS);
      }
    };
  };

  const close = () => {
    window.clearTimeout(retry);
    source?.close();
    source = undefined;
  };

  const onVisibility = () => {
    window.clearTimeout(hidden);
    if (document.hidden) hidden = window.setTimeout(close, HIDDEN_MS);
    else if (!source) open();
  };

  open();
  document.addEventListener('visibilitychange', onVisibility);
  window.addEventListener('online', open);
  return () => {
    document.removeEventListener('visibilitychange', onVisibility);
    window.removeEventListener('online', open);
    window.clearTimeout(hidden);
    close();
  };
}

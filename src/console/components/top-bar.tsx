import type { Connection } from '../api/live.ts';
import { Mark } from './icons.tsx';

const CONNECTION_TEXT: Record<Connection, string> = {
  connecting: 'Connecting',
  open: 'Live updates on',
  lost: 'Reconnecting',
};

const PLACES = [
  { href: '/', name: 'Calls' },
  { href: '/supervise', name: 'Supervise' },
  { href: '/calls-out', name: 'Calls out' },
  { href: '/phone', name: 'Phone' },
];

function isHere(href: string): boolean {
  const first = `/${location.pathname.split('/')[1]}`;
  return href === (first === '/calls' ? '/' : first);
}

export interface TopBarProps {
  live: number;
  connection: Connection;
  onSignOut: () => void;
}

export function TopBar({ live, connection, onSignOut }: TopBarProps) {
  return (
    <>
      <header className="top-bar">
        <a className="brand" href="/">
          <Mark />
          <span>Voice console</span>
        </a>
        <nav className="places" aria-label="Console">
          {PLACES.map(({ href, name }) => (
            <a key={href} href={href} aria-current={isHere(href) ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <span className={live > 0 ? 'live-count on' : 'live-count'}>
          <span className="dot" aria-hidden="true" />
          {live === 1 ? '1 call live' : `${live} calls live`}
        </span>
        <span className={`connection ${connection}`} role="status">
          {CONNECTION_TEXT[connection]}
        </span>
        <button type="button" className="button quiet" onClick={onSignOut}>
          Sign out
        </button>
      </header>
      {connection === 'lost' && (
        <p className="banner" role="alert">
          The connection to the connector is lost. What you see may be out of date; it is being restored.
        </p>
      )}
    </>
  );
}

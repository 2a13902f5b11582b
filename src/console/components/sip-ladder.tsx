import { type CSSProperties, useCallback, useState } from 'react';
import { api } from '../api/client.ts';
import type { SipMessage } from '../api/types.ts';
import { usePolled } from '../hooks/use-polled.ts';
import { DownloadIcon } from './icons.tsx';

/** Messages shown at first; a long call has hundreds. */
const SHOWN = 60;

/** The SIP messages of a call between its legs: the caller on the left, the connector, whoever was called on the right. */
export function SipLadder({ sessionId, live, changes }: { sessionId: string; live: boolean; changes: number }) {
  const [all, setAll] = useState(false);
  const load = useCallback((signal: AbortSignal) => api.sip(sessionId, signal), [sessionId]);
  // A live call is read again when something has happened in it, and when it is over.
  const { data: ladder } = usePolled(load, undefined, `${live} ${changes}`);

  // A call of an earlier version, or one that was not traced, has no messages: that is no error.
  if (ladder === undefined || ladder.messages.length === 0) return null;
  const { messages, dropped } = ladder;
  const peers = lanesOf(messages);
  const shown = all ? messages : messages.slice(0, SHOWN);
  const base = `/api/v1/calls/${sessionId}`;
  return (
    <section className="panel" aria-labelledby="sip-title">
      <div className="sip-head">
        <h2 id="sip-title">SIP messages</h2>
        {!live && (
          <span>
            <a href={`${base}/sip.txt`} target="_blank" rel="noreferrer">
              As text
            </a>
            <a href={`${base}/sip.pcap`} download title="For Wireshark or sngrep">
              <DownloadIcon /> pcap
            </a>
          </span>
        )}
      </div>
      {dropped > 0 && <p className="empty">{dropped} messages in the middle had no room.</p>}
      <div className="ladder" style={{ '--lanes': peers.length + 1 } as CSSProperties}>
        <div className="ladder-row ladder-names" aria-hidden="true">
          <span />
          {withUs(peers, 'Connector').map((name, lane) => (
            <span key={name} style={{ gridColumn: `${2 + 2 * lane} / span 2` }} title={name}>
              {name}
            </span>
          ))}
        </div>
        <ol>
          {shown.map((message) => (
            <Row
              key={`${message.at} ${message.direction} ${message.cseq}`}
              message={message}
              lane={laneOf(peers, message)}
            />
          ))}
        </ol>
      </div>
      {shown.length < messages.length && (
        <button type="button" className="button" onClick={() => setAll(true)}>
          Show all {messages.length}
        </button>
      )}
    </section>
  );
}

/** The far ends in the order in which they came up. */
function lanesOf(messages: SipMessage[]): string[] {
  return [...new Set(messages.map(place))];
}

const place = ({ remote: { address, port } }: SipMessage) => `${address}:${port}`;

/** Ours is the second lane. */
const withUs = (peers: string[], us: string) => [...peers.slice(0, 1), us, ...peers.slice(1)];

function laneOf(peers: string[], message: SipMessage): number {
  const at = peers.indexOf(place(message));
  return at === 0 ? 0 : at + 1;
}

function Row({ message, lane }: { message: SipMessage; lane: number }) {
  const [open, setOpen] = useState(false);
  const [from, to] = lane < 1 ? [lane, 1] : [1, lane];
  const rightwards = (message.direction === 'in') === lane < 1;
  const what = nameOf(message);
  const refused = /^[3-6]\d\d /.test(what);
  return (
    <li>
      <button
        type="button"
        className="ladder-row"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        title={`${message.startLine}\n${message.protocol.toUpperCase()}, ${message.bytes} bytes, ${message.at}`}
      >
        <span className="ladder-time">{offset(message.offsetUs)}</span>
        <span
          className={`ladder-arrow ${rightwards ? 'right' : 'left'} ${refused ? 'refused' : ''} ${message.retransmission ? 'again' : ''}`}
          style={{ gridColumn: `${3 + 2 * from} / ${3 + 2 * to}` }}
        >
          <span>
            <span className="visually-hidden">{message.direction === 'in' ? 'received' : 'sent'} </span>
            {what}
            {message.retransmission && <em> again</em>}
          </span>
        </span>
      </button>
      {open && <pre className="ladder-text">{message.text.trimEnd()}</pre>}
    </li>
  );
}

/** INVITE, or 200 OK. */
function nameOf({ startLine }: SipMessage): string {
  return startLine.startsWith('SIP/2.0 ') ? startLine.slice('SIP/2.0 '.length) : (startLine.split(' ')[0] ?? '');
}

/** +0.500207 */
const offset = (micros: number) => `+${(micros / 1e6).toFixed(micros < 1e8 ? 4 : 2)}`;

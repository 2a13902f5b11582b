import type { SipTrace, TracedMessage } from '../call/record/sip-ladder.ts';

/** How SIP messages are shown: as data, and as the ladder that telephony people read. */

const textOf = ({ text }: TracedMessage): string => Buffer.from(text, 'latin1').toString('utf8');
const place = ({ address, port }: TracedMessage['local']): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
const firstLine = (text: string): string => text.slice(0, Math.max(0, text.indexOf('\r\n')));

function header(text: string, names: string): string | undefined {
  const head = text.slice(0, text.indexOf('\r\n\r\n'));
  return new RegExp(`^(?:${names})[ \\t]*:[ \\t]*([^\\r]*)`, 'im').exec(head)?.[1]?.trim();
}

/** RFC 3339 with microseconds. */
function timeOf(micros: number): string {
  const whole = new Date(Math.floor(micros / 1000)).toISOString();
  return `${whole.slice(0, -1)}${String(micros % 1000).padStart(3, '0')}Z`;
}

export function ladderView(sessionId: string, { messages, dropped }: SipTrace) {
  const start = messages[0]?.at ?? 0;
  const callIds: string[] = [];
  const seen = new Set<string>();
  return {
    sessionId,
    dropped,
    messages: messages.map((message) => {
      const text = textOf(message);
      const callId = header(text, 'call-id|i') ?? '';
      if (!callIds.includes(callId)) callIds.push(callId);
      const same = `${message.direction} ${message.text}`;
      const retransmission = seen.has(same);
      seen.add(same);
      const { direction, protocol, local, remote } = message;
      return {
        at: timeOf(message.at),
        offsetUs: message.at - start,
        direction,
        protocol,
        local,
        remote,
        leg: callIds.indexOf(callId) + 1,
        callId,
        startLine: firstLine(text),
        cseq: header(text, 'cseq') ?? '',
        bytes: message.text.length,
        retransmission,
        text,
      };
    }),
  };
}

const LANE = 46;

/**
 *     +0.000000  udp  192.0.2.7:5060 ------ INVITE sip:bank@... -----> 10.0.0.1:5060   1 INVITE
 */
export function ladderText(trace: SipTrace): string {
  const { sessionId: _, ...view } = ladderView('', trace);
  const lines = view.messages.map((message) => {
    const { startLine } = message;
    const what = startLine.startsWith('SIP/2.0 ') ? startLine.slice(8) : (startLine.split(' ')[0] ?? '');
    const sdp =
      /^content-type\s*:\s*application\/sdp/im.test(message.text) || /^c\s*:\s*application\/sdp/im.test(message.text);
    const label = ` ${what}${sdp ? ' (SDP)' : ''}${message.retransmission ? ' again' : ''} `.slice(0, LANE - 4);
    const lane = LANE - label.length - 1;
    const [left, right] = [Math.floor(lane / 2), Math.ceil(lane / 2)];
    const arrow =
      message.direction === 'in'
        ? `${'-'.repeat(left)}${label}${'-'.repeat(right)}>`
        : `<${'-'.repeat(left)}${label}${'-'.repeat(right)}`;
    const offset = `+${(message.offsetUs / 1e6).toFixed(6)}`.padStart(13);
    const far = place(message.remote).padStart(24);
    return `${offset}  leg ${message.leg} ${message.protocol.padEnd(3)} ${far} ${arrow} ${place(message.local)}  ${message.cseq}`;
  });
  const start = view.messages[0]?.at;
  const dropped = view.dropped > 0 ? [`${view.dropped} messages had no room and are missing.`] : [];
  const bodies = view.messages.map(
    (message, index) => `--- ${index + 1}  ${message.at}  ${message.direction}\r\n${message.text}`,
  );
  const heading = start === undefined ? 'No SIP messages.' : `${view.messages.length} messages from ${start}`;
  return `${[heading, ...dropped, ...lines].join('\n')}\n\n${bodies.join('\n')}\n`;
}

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { monotonicNow } from '../../src/core/clock.ts';

/** A call of the crowd's, as little of one as a SIP server takes for real. */
export interface CrowdCall {
  readonly id: string;
  readonly index: number;
  /** Whom it calls. */
  readonly number: string;
  state: 'calling' | 'up' | 'ending' | 'over';
  /** Where the connector hears it. */
  rtpPort: number;
  invitedAt: number;
  tries: number;
  toTag: string;
  /** When to send the last request again, while it is unanswered. */
  againAt: number;
}

export interface CrowdCallsOptions {
  sipPort: number;
  /** Where the crowd hears RTP: one port for all; the connector's own ports tell the calls apart. */
  rtpPort: number;
  onUp(call: CrowdCall): void;
  onOver(call: CrowdCall): void;
}

const T1_MS = 500;
const MOST_TRIES = 7;

/** Many calls over one UDP socket, with just enough SIP: INVITE, ACK, BYE, and their retransmission. */
export class CrowdCalls {
  readonly setupMs: number[] = [];
  failed = 0;
  readonly #options: CrowdCallsOptions;
  readonly #socket: Socket;
  readonly #calls = new Map<string, CrowdCall>();
  readonly #timer: NodeJS.Timeout;
  #port = 0;
  #next = 1;

  private constructor(options: CrowdCallsOptions) {
    this.#options = options;
    this.#socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 22 });
    this.#socket.on('message', (data) => this.#onMessage(data.toString('latin1')));
    this.#timer = setInterval(() => this.#retransmit(), 100);
  }

  static async open(options: CrowdCallsOptions): Promise<CrowdCalls> {
    const calls = new CrowdCalls(options);
    calls.#socket.bind(0, '127.0.0.1');
    await once(calls.#socket, 'listening');
    calls.#port = calls.#socket.address().port;
    return calls;
  }

  get live(): number {
    return this.#calls.size;
  }

  dial(number = 'bank'): void {
    const index = this.#next++;
    const call: CrowdCall = {
      id: `crowd-${process.pid}-${index}`,
      index,
      number,
      state: 'calling',
      rtpPort: 0,
      invitedAt: monotonicNow(),
      tries: 0,
      toTag: '',
      againAt: 0,
    };
    this.#calls.set(call.id, call);
    this.#request(call, 'INVITE');
  }

  hangUp(call: CrowdCall): void {
    if (call.state !== 'up') return;
    call.state = 'ending';
    call.tries = 0;
    this.#request(call, 'BYE');
  }

  hangUpAll(): void {
    for (const call of this.#calls.values()) this.hangUp(call);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  #request(call: CrowdCall, method: 'INVITE' | 'ACK' | 'BYE'): void {
    if (method !== 'ACK') {
      call.againAt = monotonicNow() + T1_MS * 2 ** call.tries;
      call.tries++;
    }
    const sdp =
      method === 'INVITE'
        ? `v=0\r\no=c ${call.index} 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${this.#options.rtpPort} RTP/AVP 0\r\n`
        : '';
    const here = `127.0.0.1:${this.#port}`;
    const there = `sip:${call.number}@127.0.0.1:${this.#options.sipPort}`;
    const lines = [
      `${method} ${there} SIP/2.0`,
      `Via: SIP/2.0/UDP ${here};branch=z9hG4bK-${call.index}-${method};rport`,
      `From: <sip:+15550100@${here}>;tag=c${call.index}`,
      `To: <${there}>${call.toTag}`,
      `Call-ID: ${call.id}`,
      `CSeq: ${method === 'BYE' ? 2 : 1} ${method}`,
      `Contact: <sip:crowd@${here}>`,
      'Max-Forwards: 70',
      ...(sdp === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${sdp.length}`,
    ];
    this.#socket.send(`${lines.join('\r\n')}\r\n\r\n${sdp}`, this.#options.sipPort, '127.0.0.1');
  }

  #onMessage(text: string): void {
    const id = /^Call-ID: *(\S+)/im.exec(text)?.[1] ?? '';
    const call = this.#calls.get(id);
    const response = /^SIP\/2\.0 (\d{3})/.exec(text);
    if (response === null) {
      this.#onRequest(text, call);
      return;
    }
    const status = Number(response[1]);
    const method = /^CSeq: *\d+ (\w+)/im.exec(text)?.[1];
    if (status < 200 || call === undefined) return;
    if (method === 'BYE') {
      this.#over(call);
      return;
    }
    call.toTag = /^To:.*?(;tag=[^\s;]+)/im.exec(text)?.[1] ?? '';
    this.#request(call, 'ACK');
    if (call.state !== 'calling') return;
    if (status >= 300) {
      this.failed++;
      this.#over(call);
      return;
    }
    call.state = 'up';
    call.rtpPort = Number(/^m=audio (\d+)/m.exec(text)?.[1] ?? 0);
    this.setupMs.push(monotonicNow() - call.invitedAt);
    this.#options.onUp(call);
  }

  /** The connector hangs up, or asks something: every request is fine. */
  #onRequest(text: string, call: CrowdCall | undefined): void {
    const copied = text.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line));
    const answer = ['SIP/2.0 200 OK', ...copied, 'Content-Length: 0', '', ''].join('\r\n');
    this.#socket.send(answer, this.#options.sipPort, '127.0.0.1');
    if (!text.startsWith('BYE') || call === undefined) return;
    if (call.state === 'up') this.failed++;
    this.#over(call);
  }

  #over(call: CrowdCall): void {
    if (call.state === 'over') return;
    call.state = 'over';
    this.#calls.delete(call.id);
    this.#options.onOver(call);
  }

  #retransmit(): void {
    const now = monotonicNow();
    for (const call of this.#calls.values()) {
      if (call.state === 'up' || now < call.againAt) continue;
      if (call.tries >= MOST_TRIES) {
        this.failed++;
        this.#over(call);
      } else {
        this.#request(call, call.state === 'calling' ? 'INVITE' : 'BYE');
      }
    }
  }
}

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { connect, type Socket as TcpSocket } from 'node:net';
import { silentLogger } from '../../src/core/log.ts';
import { SipRequest, SipResponse } from '../../src/sip/message/message.ts';
import { parseDatagram } from '../../src/sip/message/parse.ts';
import { StreamFramer } from '../../src/sip/message/stream-framer.ts';
import { UserAgent, type UserAgentOptions } from '../../src/sip/user-agent.ts';

export const OFFER =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n';
export const ANSWER = OFFER.replace('4000', '4002');

/** RFC 3261 timers a tenth as long, so that a test of what happens after 64*T1 takes three seconds. */
export const FAST = { t1: 50, t2: 400, t4: 500, d: 3200, trying: 200 };

/** No retransmission while a test looks at each request once; nobody waits for 64*T1 with these. */
export const PATIENT = { ...FAST, t1: 2_000, t2: 4_000 };

/** A user agent on free loopback ports, UDP and TCP. */
export async function listen(
  options: Partial<UserAgentOptions> = {},
): Promise<{ ua: UserAgent; udp: number; tcp: number }> {
  const ua = new UserAgent({
    listen: [
      { protocol: 'udp', host: '127.0.0.1', port: 0 },
      { protocol: 'tcp', host: '127.0.0.1', port: 0 },
    ],
    log: silentLogger,
    timers: FAST,
    onInvite: (invite) => void invite.answer(ANSWER).catch(() => undefined),
    ...options,
    limits: { closeGraceMs: 50, ...options.limits },
  });
  await ua.start();
  const port = (protocol: string) => ua.bound.find((place) => place.protocol === protocol)?.port ?? 0;
  return { ua, udp: port('udp'), tcp: port('tcp') };
}

/** A peer that says on the wire exactly what a test wants said, and waits for what it wants to hear. */
export abstract class Peer {
  readonly heard: (SipRequest | SipResponse)[] = [];
  readonly #waiting: {
    wanted: (m: SipRequest | SipResponse) => boolean;
    resolve: (m: SipRequest | SipResponse) => void;
  }[] = [];
  #counter = 0;

  abstract readonly transport: 'UDP' | 'TCP' | 'TLS' | 'WS' | 'WSS';
  /** As it stands in a URI. */
  readonly host: string = '127.0.0.1';
  abstract readonly port: number;
  abstract write(bytes: Buffer | string): void;
  abstract close(): void;

  protected take(message: SipRequest | SipResponse): void {
    const at = this.#waiting.findIndex((waiter) => waiter.wanted(message));
    if (at === -1) this.heard.push(message);
    else this.#waiting.splice(at, 1)[0]?.resolve(message);
  }

  /** The first message, heard already or still to come, that fits; it is taken out. */
  next(wanted: (m: SipRequest | SipResponse) => boolean, what: string): Promise<SipRequest | SipResponse> {
    const at = this.heard.findIndex(wanted);
    if (at !== -1) return Promise.resolve(this.heard.splice(at, 1)[0]!);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`never heard ${what}; heard ${this.summary()}`)), 10_000);
      this.#waiting.push({
        wanted,
        resolve: (message) => {
          clearTimeout(timer);
          resolve(message);
        },
      });
    });
  }

  async response(status: number, method?: string): Promise<SipResponse> {
    const fits = (m: SipRequest | SipResponse) =>
      m instanceof SipResponse && m.status === status && (method === undefined || m.cseq.method === method);
    return (await this.next(fits, `${status} ${method ?? ''}`)) as SipResponse;
  }

  async request(method: string): Promise<SipRequest> {
    return (await this.next((m) => m instanceof SipRequest && m.method === method, method)) as SipRequest;
  }

  summary(): string {
    return this.heard.map((m) => (m instanceof SipRequest ? m.method : `${m.status} ${m.cseq.method}`)).join(', ');
  }

  get contact(): string {
    const transport = this.transport === 'UDP' ? '' : `;transport=${this.transport.toLowerCase()}`;
    return `sip:ada@${this.host}:${this.port}${transport}`;
  }

  branch(): string {
    return `z9hG4bK-${this.port}-${++this.#counter}`;
  }

  build(method: string, uri: string, facts: MessageFacts = {}): string {
    const body = facts.body ?? '';
    const lines = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/${this.transport} ${this.host}:${this.port};branch=${facts.branch ?? this.branch()};rport`,
      'Max-Forwards: 70',
      `From: "Ada" <sip:+15550100@127.0.0.1>;tag=${facts.fromTag ?? 'ada'}`,
      `To: <sip:bank@127.0.0.1>${facts.toTag === undefined ? '' : `;tag=${facts.toTag}`}`,
      `Call-ID: ${facts.callId ?? `call-${this.port}`}`,
      `CSeq: ${facts.cseq ?? 1} ${facts.cseqMethod ?? method}`,
      `Contact: <${this.contact}>`,
      ...(facts.headers ?? []),
      ...(body === '' ? [] : [`Content-Type: ${facts.contentType ?? 'application/sdp'}`]),
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    return `${lines.join('\r\n')}\r\n\r\n${body}`;
  }

  say(method: string, uri: string, facts: MessageFacts = {}): void {
    this.write(this.build(method, uri, facts));
  }

  /** Answers a request of the other side. `contact`: another Contact than ours; '' for none. */
  reply(request: SipRequest, status: number, body?: string, headers: string[] = [], contact?: string): void {
    const response = new SipResponse(status);
    for (const key of ['via', 'from', 'to', 'call-id', 'cseq', 'record-route']) {
      for (const line of request.headers.lines(key)) response.headers.append(key, line);
    }
    if (request.toTag === undefined) response.headers.set('To', `${request.headers.get('to')};tag=peer`);
    if (contact !== '') response.headers.set('Contact', contact ?? `<${this.contact.replace('ada@', 'peer@')}>`);
    for (const header of headers) {
      const colon = header.indexOf(':');
      response.headers.append(header.slice(0, colon), header.slice(colon + 1).trim());
    }
    if (body !== undefined) response.setBody('application/sdp', body);
    this.write(response.serialize());
  }
}

export interface MessageFacts {
  branch?: string;
  fromTag?: string;
  toTag?: string | undefined;
  callId?: string;
  cseq?: number;
  cseqMethod?: string;
  headers?: string[];
  body?: string;
  contentType?: string;
}

export class UdpPeer extends Peer {
  readonly transport = 'UDP';
  readonly #socket: Socket;
  #to: number;

  private constructor(socket: Socket, to: number) {
    super();
    this.#socket = socket;
    this.#to = to;
    socket.on('message', (bytes: Buffer, from: RemoteInfo) => {
      if (this.#to === 0) this.#to = from.port;
      try {
        this.take(parseDatagram(bytes));
      } catch {
        // An answer to a request so broken that even its answer is: tests of such read the bytes themselves.
      }
    });
  }

  /**
   * `to`: port of the user agent under test; 0 for a peer that is called, and answers who called it first. `host`: the
   * address it sends from; every 127.x.y.z is ours.
   */
  static async open(to = 0, host = '127.0.0.1'): Promise<UdpPeer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, host, () => resolve()));
    return new UdpPeer(socket, to);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  write(bytes: Buffer | string): void {
    this.#socket.send(bytes, this.#to, '127.0.0.1');
  }

  close(): void {
    this.#socket.close();
  }
}

/** A peer on a connection, plain or encrypted, that it opened. */
export abstract class StreamPeer<S extends TcpSocket = TcpSocket> extends Peer {
  readonly socket: S;
  readonly #framer = new StreamFramer();

  protected constructor(socket: S) {
    super();
    this.socket = socket;
    socket.on('data', (segment) => {
      for (const framed of this.#framer.push(segment)) if (framed.type === 'message') this.take(framed.message);
    });
    socket.on('error', () => undefined);
  }

  get port(): number {
    return this.socket.localPort ?? 0;
  }

  write(bytes: Buffer | string): void {
    this.socket.write(bytes);
  }

  close(): void {
    this.socket.destroy();
  }
}

export class TcpPeer extends StreamPeer {
  readonly transport = 'TCP';

  static async open(to: number): Promise<TcpPeer> {
    const socket = connect({ host: '127.0.0.1', port: to, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve());
      socket.once('error', reject);
    });
    return new TcpPeer(socket);
  }
}

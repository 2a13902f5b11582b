import { createSocket, type Socket } from 'node:dgram';
import { monotonicNow } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/log.ts';
import { EmbeddedFrontEnd } from '../../src/frontends/embedded/embedded-front-end.ts';
import { compileGateway } from '../../src/frontends/outbound/gateway.ts';
import { gateway } from '../../src/frontends/outbound/gateway-schema.ts';
import { startSipServer } from './sip-suite.ts';
import type { PartSuite } from './suites.ts';

/** What calling out costs: the dialler against a caller that does nothing but send bytes, to the same far end, by turns. */

const CALLS = 500;
const WARM_UP = 50;
const OFFER =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n';

/** One call by prepared bytes. Resolves with the time from INVITE to 200; ACK and BYE have gone out then. */
async function bareCall(socket: Socket, port: number, n: number): Promise<number> {
  const own = socket.address().port;
  const write = (method: string, cseq: number, toTag: string, body: string) =>
    [
      `${method} sip:+4930123456@127.0.0.1:${port} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${own};branch=z9hG4bK-${n}-${method};rport`,
      'Max-Forwards: 70',
      `From: <sip:bare@127.0.0.1>;tag=${n}`,
      `To: <sip:+4930123456@127.0.0.1>${toTag}`,
      `Call-ID: bare-${n}-${own}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:bare@127.0.0.1:${own}>`,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
  const answered = new Promise<string>((resolve) => {
    const read = (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      if (!text.startsWith('SIP/2.0 200') || !text.includes(`bare-${n}-`) || !/CSeq: 1 INVITE/.test(text)) return;
      socket.off('message', read);
      resolve(text);
    };
    socket.on('message', read);
  });
  const at = monotonicNow();
  socket.send(write('INVITE', 1, '', OFFER), port, '127.0.0.1');
  const text = await answered;
  const took = monotonicNow() - at;
  const tag = /\r\nTo:[^\r]*(;tag=[^;\r]+)/i.exec(text)?.[1] ?? '';
  socket.send(write('ACK', 1, tag, ''), port, '127.0.0.1');
  socket.send(write('BYE', 2, tag, ''), port, '127.0.0.1');
  return took;
}

export const outbound: PartSuite = {
  name: 'outbound',
  what: `calling out: ${CALLS} calls by a gateway, each beside one of prepared bytes to the same far end`,
  environment: undefined,
  limitMs: 3 * 60_000,
  async run(options) {
    // Bound by the time the server is up.
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    const { port, stop } = await startSipServer();
    const limits = { calls: 100, callsPerSecond: 10_000, callsPerDay: 100_000, callsPerNumberPerDay: 100_000 };
    const entry = gateway.parse({ name: 'far', to: `127.0.0.1:${port}`, destinations: [{ prefix: '+49' }], limits });
    const far = compileGateway(entry, { folder: '.', env: {} }, () => undefined);
    const frontEnd = new EmbeddedFrontEnd({
      listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }],
      log: silentLogger,
      maxCalls: 100,
      waysOut: () => ({ gateways: [far], registrations: [] }),
    });
    await frontEnd.start(() => undefined);
    const [bare, dialled]: [number[], number[]] = [[], []];
    try {
      const wanted = options.calls ?? CALLS;
      for (let n = 0; n < WARM_UP + wanted && !options.signal.aborted; n++) {
        const alone = await bareCall(socket, port, n);
        const at = monotonicNow();
        const leg = await frontEnd.dialler.dial({ to: '+4930123456', offer: () => OFFER }, options.signal);
        const ours = monotonicNow() - at;
        await leg.hangup();
        if (n < WARM_UP) continue;
        bare.push(alone);
        dialled.push(ours);
      }
    } finally {
      await frontEnd.close();
      socket.close();
      stop();
    }
    return [
      { suite: 'outbound', name: 'set-up, far end alone', unit: 'ms', values: bare },
      { suite: 'outbound', name: 'set-up, by the dialler', unit: 'ms', values: dialled },
      {
        suite: 'outbound',
        name: 'added by the dialler',
        unit: 'ms',
        values: dialled.map((ours, n) => ours - bare[n]!),
        target: 'p95 <= 5',
        limits: { p95: 5 },
        note: 'from dial() to the answer, ACK sent; each call against the one of prepared bytes before it',
      },
    ];
  },
};

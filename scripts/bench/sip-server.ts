import { silentLogger } from '../../src/core/log.ts';
import { SipTracer } from '../../src/sip/trace/sip-tracer.ts';
import { UserAgent } from '../../src/sip/user-agent.ts';

/**
 * The SIP stack alone, in a process of its own: answers every call with a fixed session description and waits for the
 * caller's BYE. Says `{ port }` over IPC. With the argument `traced` it keeps every message of each call until its end,
 * as the connector does.
 */

const SDP = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';

const tracer = process.argv.includes('traced') ? new SipTracer() : undefined;
const userAgent = new UserAgent({
  listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }],
  log: silentLogger,
  tap: tracer,
  onInvite: (invite) => {
    const { callId } = invite.request;
    tracer?.hold(callId);
    void invite.answer(SDP).catch(() => undefined);
    if (tracer === undefined) return;
    invite.signal.addEventListener(
      'abort',
      () => {
        tracer.read([callId]);
        tracer.release([callId]);
      },
      { once: true },
    );
  },
});
await userAgent.start();
process.send?.({ port: userAgent.bound[0]!.port });
process.on('disconnect', () => process.exit(0));

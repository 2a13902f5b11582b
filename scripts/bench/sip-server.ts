import { silentLogger } from '../../src/core/log.ts';
import { UserAgent } from '../../src/sip/user-agent.ts';

/**
 * The SIP stack alone, in a process of its own: answers every call with a fixed session description and waits for the
 * caller's BYE. Says `{ port }` over IPC.
 */

const SDP = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';

const userAgent = new UserAgent({
  listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }],
  log: silentLogger,
  onInvite: (invite) => void invite.answer(SDP).catch(() => undefined),
});
await userAgent.start();
process.send?.({ port: userAgent.bound[0]!.port });
process.on('disconnect', () => process.exit(0));

import { readdirSync, readFileSync } from 'node:fs';
import { Failure } from '../../../src/core/errors.ts';
import { answerOffer } from '../../../src/media/sdp/sdp.ts';
import {
  asksAnonymity,
  readAssertedIdentities,
  readDiversions,
  readHistory,
  readPrivacy,
  readReasons,
  readRemotePartyId,
  readUserToUser,
} from '../../../src/sip/message/identity.ts';
import { type SipMessage, SipRequest } from '../../../src/sip/message/message.ts';
import { parseDatagram, SipParseError } from '../../../src/sip/message/parse.ts';
import { StreamFramer } from '../../../src/sip/message/stream-framer.ts';
import { DEFAULT_SESSION_TIMER, negotiate } from '../../../src/sip/session/session-timer.ts';
import type { Random } from './mutate.ts';

const INVITE = `INVITE sip:bank@192.0.2.1;user=phone SIP/2.0\r
Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK776asdhds;rport, SIP/2.0/TCP [2001:db8::1];branch=z9hG4bK1;received=192.0.2.9\r
Max-Forwards: 70\r
Record-Route: <sip:proxy.example;lr>, "P" <sip:192.0.2.8;lr=on>\r
From: "Ada \\"L\\"" <sip:+15550100@carrier.example>;tag=1928301774\r
To: Bank <sip:bank@192.0.2.1>\r
Call-ID: a84b4c76e66710@pc33.example\r
CSeq: 314159 INVITE\r
Contact: <sip:ada@192.0.2.7:5060;transport=udp>;q=0.5\r
Supported: 100rel, timer, replaces\r
Session-Expires: 1800;refresher=uac\r
Allow: INVITE, ACK, BYE, CANCEL, UPDATE\r
P-Asserted-Identity: "Ada" <sip:+15550142@carrier.example>, <tel:+15550142>\r
Privacy: none\r
Diversion: <tel:+15550111>;reason=no-answer;counter=1\r
History-Info: <sip:bank@x?Reason=SIP%3Bcause%3D486>;index=1.1\r
Reason: Q.850;cause=16;text="Normal"\r
User-to-User: 56a390f3;encoding=hex\r
Content-Type: multipart/mixed;boundary="b"\r
\r
--b\r
Content-Type: application/sdp\r
\r
v=0\r
o=- 1 1 IN IP4 192.0.2.7\r
s=-\r
c=IN IP4 192.0.2.7\r
t=0 0\r
m=audio 49170 RTP/AVP 0 8 101\r
a=rtpmap:0 PCMU/8000\r
a=rtpmap:101 telephone-event/8000\r
a=ptime:20\r
a=sendrecv\r
--b\r
Content-Type: application/isup;version=x\r
Content-Disposition: signal;handling=optional\r
\r
\x01\x00\x02\r
--b--\r
`;

/** What mutations start from: the torture messages of the RFCs and an INVITE with everything. */
export function corpus(): Buffer[] {
  const folders = ['rfc4475', 'rfc5118'].map((rfc) => new URL(`../../sip/torture/${rfc}/`, import.meta.url));
  const files = folders.flatMap((folder) => readdirSync(folder).map((file) => readFileSync(new URL(file, folder))));
  return [Buffer.from(INVITE, 'latin1'), ...files];
}

/** Runs `read`, letting through the errors that mean "refused"; anything else is a fault of ours. */
function tolerating<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** Looks at everything the stack ever looks at. @throws whatever is not a Failure, and Error for a broken promise */
export function probe(bytes: Buffer, random: Random): void {
  let message: SipMessage | undefined;
  try {
    message = parseDatagram(bytes);
  } catch (error) {
    if (!(error instanceof SipParseError)) throw error;
    message = error.partial;
  }
  if (message !== undefined) look(message);
  const framer = new StreamFramer();
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + Math.floor(random() * 400);
    for (const framed of framer.push(bytes.subarray(at, end))) if (framed.type === 'message') look(framed.message);
    at = end;
  }
  tolerating(() => answerOffer(bytes.toString('latin1'), { address: '192.0.2.1', port: 4000, sessionId: '1' }));
}

function look(message: SipMessage): void {
  const { headers } = message;
  const typed: (() => unknown)[] = [
    () => message.via,
    () => message.from,
    () => message.to,
    () => message.cseq,
    () => message.contact,
    () => asksAnonymity(message),
    () => message instanceof SipRequest && [message.sipUri, negotiate(message, DEFAULT_SESSION_TIMER, undefined)],
  ];
  for (const read of typed) tolerating(read);
  // These promise to pass over what is malformed.
  for (const read of [readReasons, readAssertedIdentities, readDiversions, readHistory, readPrivacy]) read(headers);
  for (const read of [readRemotePartyId, readUserToUser]) read(headers);
  const sdp = message.sdp;
  if (sdp !== undefined) tolerating(() => answerOffer(sdp, { address: '192.0.2.1', port: 4000, sessionId: '1' }));
  // What has been read can be written, and reads as the same again.
  const again = tolerating(() => parseDatagram(message.serialize()));
  if (again !== undefined && String(again.headers) !== String(headers)) throw new Error('a round trip changed headers');
}

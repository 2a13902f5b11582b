import type { RtpLine } from './rtp-line.ts';
import { type CallEnd, SipCall } from './sip-call.ts';
import { addressOf } from './sip-dialog.ts';
import type { SipEndpoint } from './sip-endpoint.ts';
import { cseq, header, parseNameAddr, type SipHeader, type SipRequest } from './sip-message.ts';

/**
 * The call that a phone makes because it was asked to by REFER (RFC 3515): takes over the phone's line when it is
 * answered, and tells the one who asked how it goes by NOTIFY. Headers inside the Refer-To (Replaces, User-to-User) go
 * into its INVITE.
 */
export class ReferredCall {
  readonly signalling: SipCall;
  end: CallEnd | undefined;

  constructor(endpoint: SipEndpoint, line: RtpLine, asked: { by: SipCall; refer: SipRequest; user: string }) {
    const { by, refer, user } = asked;
    const target = parseNameAddr(header(refer, 'refer-to') ?? '').uri;
    const [uri, query = ''] = target.split('?') as [string, string?];
    const headers: SipHeader[] = query.split('&').flatMap((pair) => {
      const [name, value] = pair.split('=');
      return name && value !== undefined ? [{ name, value: decodeURIComponent(value) }] : [];
    });
    const event = { name: 'Event', value: `refer;id=${cseq(refer).number}` };
    const tell = (status: string, state: string) => {
      if (by.state !== 'established') return;
      const type = { name: 'Content-Type', value: 'message/sipfrag;version=2.0' };
      const headers = [event, { name: 'Subscription-State', value: state }, type];
      void by.request('NOTIFY', headers, `SIP/2.0 ${status}\r\n`);
    };
    this.signalling = SipCall.invite(
      endpoint,
      {
        to: uri,
        from: `<sip:${user}@${endpoint.wire.local.address}>`,
        contactUser: user,
        nextHop: addressOf(uri),
        sdp: line.describe('offer'),
        headers,
      },
      {
        onProgress: (response) => tell(`${response.status} ${response.reason}`, 'active;expires=60'),
        onRemoteSdp: (sdp) => {
          line.connect(sdp);
          tell('200 OK', 'terminated;reason=noresource');
        },
        localSdp: (kind) => line.describe(kind),
        onEnd: (end) => {
          this.end = end;
          if (end.status !== undefined)
            tell(`${end.status} ${end.reason ?? 'Refused'}`, 'terminated;reason=noresource');
        },
      },
    );
    // Behind the 202.
    setImmediate(() => tell('100 Trying', 'active;expires=60'));
  }
}

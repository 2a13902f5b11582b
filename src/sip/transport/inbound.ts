import type { Logger } from '../../core/log.ts';
import { type SipMessage, SipRequest } from '../message/message.ts';
import type { SipParseError } from '../message/parse.ts';
import { hostOf } from '../message/uri.ts';
import { formatVia, type Via } from '../message/values.ts';
import type { WireTap } from '../trace/wire-tap.ts';
import type { Flow, TransportEvents } from './flow.ts';

/** What transports tell to those above them, who need no bytes. */
export interface MessageEvents {
  onMessage(message: SipMessage, flow: Flow): void;
  onBadMessage(error: SipParseError, flow: Flow): void;
  inUse?(flow: Flow): boolean;
}

/**
 * What happens to every message before anybody reads it: the tap sees it as it came, requests are told where they came
 * from, and nothing from the network may throw out of a socket's handler, whatever it makes us do.
 */
export function guardedEvents(events: MessageEvents, log: Logger, tap: WireTap | undefined): TransportEvents {
  const guard = <T extends unknown[]>(run: (...args: T) => void) => {
    return (...args: T) => {
      try {
        run(...args);
      } catch (error) {
        log.debug({ err: error }, 'SIP message dropped');
      }
    };
  };
  return {
    onMessage: guard((message: SipMessage, flow: Flow, bytes: Buffer) => {
      tap?.received(bytes, message.headers.get('call-id'), flow);
      if (message instanceof SipRequest) stampSource(message, flow);
      events.onMessage(message, flow);
    }),
    onBadMessage: guard((error: SipParseError, flow: Flow, bytes: Buffer) => {
      tap?.received(bytes, error.partial?.headers.get('call-id'), flow);
      if (error.partial instanceof SipRequest) stampSource(error.partial, flow);
      events.onBadMessage(error, flow);
    }),
    onSent: tap && ((bytes, flow) => tap.sent(bytes, flow)),
    inUse: (flow) => events.inUse?.(flow) ?? false,
  };
}

/** Writes down where a request really came from (18.2.1, RFC 3581 section 4). A Via that is no Via stays as it is. */
function stampSource(request: SipRequest, flow: Flow): void {
  let via: Via;
  try {
    via = request.via;
  } catch {
    return;
  }
  const wantsPort = via.params.get('rport') === '';
  const lies = via.params.has('received') || (via.params.has('rport') && !wantsPort);
  if (!wantsPort && !lies && via.host === hostOf(flow.remote.address)) return;
  let params = via.params.without('received').with('received', flow.remote.address);
  if (via.params.has('rport')) params = params.with('rport', String(flow.remote.port));
  request.headers.replaceFirst('Via', formatVia({ ...via, params }));
}

import type { PhoneDesk, PhonePlace } from '../../call/phone-desk.ts';
import { isWildcard, type Protocol } from '../../sip/transport/flow.ts';
import type { BrowserPhones } from '../trunks/browser-phones.ts';
import type { SipConfig } from '../trunks/sip-config.ts';
import type { PhoneRegistrar } from './phone-registrar.ts';

export interface BrowserDeskOptions {
  phones: BrowserPhones;
  registrar: PhoneRegistrar;
  config: () => SipConfig;
  /** Where SIP is listened to. */
  bound: () => readonly { protocol: Protocol; host: string; port: number }[];
  /** A phone has been let in: it is about to call, or to be called. */
  onIssued(): void;
}

/** Tells browsers where to call and as whom. */
export function browserDesk({ phones, registrar, config, bound, onIssued }: BrowserDeskOptions): PhoneDesk {
  return {
    registered: () => registrar.list(),
    issue(grant) {
      onIssued();
      return phones.issue(grant);
    },
    place(secure): PhonePlace | undefined {
      const { trunks, realm } = config();
      if (!trunks.some(({ browser }) => browser)) return undefined;
      const sockets = bound().filter(({ protocol }) => protocol === 'wss' || (protocol === 'ws' && !secure));
      // A page that came in the clear is on this machine, or a browser would not give it the microphone.
      const found = sockets.find(({ protocol }) => protocol === (secure ? 'wss' : 'ws')) ?? sockets[0];
      if (found === undefined) return undefined;
      const host = isWildcard(found.host) ? undefined : found.host;
      return { realm, webSocket: { secure: found.protocol === 'wss', host, port: found.port } };
    },
  };
}

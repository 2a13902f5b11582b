import { DigestClient } from '../../sip/auth/digest-client.ts';
import type { SipUri } from '../../sip/message/uri.ts';
import type { Note } from '../trunks/note.ts';
import { type Environment, passwordOf } from '../trunks/secrets.ts';
import type { TrunkMedia } from '../trunks/trunk-media.ts';
import type { GatewayEntry, GatewayLimits, HostMatch, NumberMatch, Rewriting } from './gateway-schema.ts';

/** A way out: by whom we call, whom, how often, and as whom. Checked, complete, unchanging. */
export interface Gateway {
  readonly name: string;
  readonly to: SipUri | undefined;
  readonly proxy: SipUri | undefined;
  /** Shared by all its calls, so that each brings credentials along when another was asked for them before. */
  readonly auth: DigestClient | undefined;
  readonly user: string | undefined;
  readonly from: {
    readonly number: string | undefined;
    readonly displayName: string | undefined;
    readonly domain: HostMatch | undefined;
    readonly allow: readonly NumberMatch[];
    readonly rewrite: readonly Rewriting[];
    readonly private: boolean;
    readonly assert: boolean;
  };
  readonly numbers: readonly NumberMatch[];
  readonly hosts: readonly HostMatch[];
  readonly forbidden: readonly NumberMatch[];
  readonly rewrite: readonly Rewriting[];
  readonly priority: number;
  readonly ringSeconds: number;
  readonly silenceSeconds: number;
  readonly limits: GatewayLimits;
  readonly media: TrunkMedia;
  readonly headers: Readonly<Record<string, string>>;
  readonly redirects: readonly HostMatch[];
  /** Where people called by it may transfer callers to; undefined: nowhere. */
  readonly transfers:
    | {
        readonly queues: readonly string[];
        readonly numbers: readonly NumberMatch[];
        readonly hosts: readonly HostMatch[];
      }
    | undefined;
  readonly reliableProvisionals: 'supported' | 'required' | 'off';
  readonly sessionExpiresSeconds?: number | undefined;
  readonly pingSeconds?: number | undefined;
  /** Name of the account whose Service-Route its calls take. */
  readonly registration?: string | undefined;
}

export function compileGateway(
  entry: GatewayEntry,
  secrets: { folder: string; env: Environment },
  note: Note,
): Gateway {
  const { auth, from, destinations, transfers, ...rest } = entry;
  const password = auth && passwordOf(auth, secrets, (key, message) => note(['auth', key], message));
  const { number, displayName, domain, allow, rewrite } = from;
  if (from.assert && number === undefined) note(['from', 'assert'], 'needs a number to assert');
  return {
    ...rest,
    to: entry.to,
    proxy: entry.proxy,
    auth: auth && new DigestClient({ username: auth.user, password: password ?? '', realm: auth.realm }),
    user: auth?.user,
    from: { number, displayName, domain, allow, rewrite, private: from.private, assert: from.assert },
    ...parted(destinations),
    transfers: transfers && { queues: transfers.queues, ...parted(transfers.destinations) },
  };
}

function parted(destinations: GatewayEntry['destinations']): Pick<Gateway, 'numbers' | 'hosts'> {
  return {
    numbers: destinations.flatMap(({ host, ...match }) => (host === undefined ? [match] : [])),
    hosts: destinations.flatMap(({ host }) => (host === undefined ? [] : [host])),
  };
}

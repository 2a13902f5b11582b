import type { Ms } from '../../core/clock.ts';
import type { DigestGuard } from '../../sip/auth/digest-guard.ts';
import type { SipRequest } from '../../sip/message/message.ts';
import type { Flow, PeerIdentity } from '../../sip/transport/flow.ts';
import { type BrowserPhones, type GrantedPhone, PHONE_ALGORITHMS } from './browser-phones.ts';
import type { SipConfig } from './sip-config.ts';
import type { Trunk } from './trunk.ts';

/**
 * Who is calling. `phone`: it is a phone in a browser, and this is what it may do. `challenge`: prove it, with these values
 * of WWW-Authenticate. `wrong`: a wrong password; here is another chance. `mismatch`: credentials that were made for
 * another request. `stranger`: nobody's.
 */
export type Identified =
  | { kind: 'trunk'; trunk: Trunk; username?: string; phone?: GrantedPhone | undefined }
  | { kind: 'challenge'; values: string[] }
  | { kind: 'wrong'; username: string; values: string[] }
  | { kind: 'mismatch' }
  | { kind: 'stranger' };

/** The trunk that names this address: its peers are known before a word is read. */
export function trunkByAddress(config: SipConfig, address: string): Trunk | undefined {
  return config.trunks.find(({ named, from }) => named && from!.has(address));
}

/** Written by an edge of ours, which removes what its callers put there. */
const TRUNK_HEADER = 'x-trunk';

/**
 * Who is calling. Where it is an edge, which stands before several trunks, the trunk that the edge names; the edge itself
 * where it names none that is behind it.
 */
export function identify(
  config: SipConfig,
  guard: DigestGuard,
  request: SipRequest,
  flow: Flow,
  now: Ms,
  phones?: BrowserPhones,
): Identified {
  const phone = phones && identifyPhone(phones, config, guard, request, flow, now);
  if (phone) return phone;
  const identified = identifyPeer(config, guard, request, flow, now);
  if (identified.kind !== 'trunk') return identified;
  const { trunk: edge } = identified;
  const named = request.headers.get(TRUNK_HEADER)?.trim();
  const trunk = config.trunks.find(({ name, behind }) => behind === edge.name && name === named);
  return trunk === undefined ? identified : { ...identified, trunk };
}

/**
 * Who shows a right password is of that trunk; else the first trunk, in the order of the files, whose conditions hold and
 * that wants no password. Where that one is open to anybody, who claims in From to be a user of another is asked to prove
 * it; a carrier that is known by its address or certificate is not, its callers may be called anything. When no trunk
 * without passwords fits, one with passwords asks.
 */
function identifyPeer(config: SipConfig, guard: DigestGuard, request: SipRequest, flow: Flow, now: Ms): Identified {
  const { address } = flow.remote;
  const candidates = config.trunks.filter(
    ({ from, certificate, behind, browser }) =>
      behind === undefined &&
      !browser &&
      (from === undefined || from.has(address)) &&
      (certificate === undefined || shows(certificate, flow.peer)),
  );
  const asking = candidates.filter(({ digest }) => digest !== undefined);
  if (asking.length === 0) return candidates[0] ? { kind: 'trunk', trunk: candidates[0] } : { kind: 'stranger' };
  const ownerOf = (username: string) => asking.find(({ digest }) => digest!.users.has(username));
  const verdict = guard.verify(request, config.realm, address, now, (username) =>
    ownerOf(username)?.digest?.users.get(username),
  );
  if (verdict.kind === 'accepted') {
    return { kind: 'trunk', trunk: ownerOf(verdict.username)!, username: verdict.username };
  }
  if (verdict.kind === 'mismatch') return verdict;
  const algorithms = [...new Set(asking.flatMap(({ digest }) => digest!.algorithms))];
  const challenge = (stale: boolean) => guard.challenge(config.realm, address, now, { stale, algorithms });
  if (verdict.kind === 'wrong') return { kind: 'wrong', username: verdict.username, values: challenge(false) };
  if (verdict.kind === 'stale') return { kind: 'challenge', values: challenge(true) };
  const open = candidates.find(({ digest }) => digest === undefined);
  const claimed = claimedUser(request);
  const known = open !== undefined && (open.named || open.certificate !== undefined);
  if (open && (known || claimed === undefined || !ownerOf(claimed))) return { kind: 'trunk', trunk: open };
  return { kind: 'challenge', values: challenge(false) };
}

/**
 * A phone in a browser says in From which name it was given, and proves it, wherever it calls from: undefined for everybody
 * else.
 */
function identifyPhone(
  phones: BrowserPhones,
  config: SipConfig,
  guard: DigestGuard,
  request: SipRequest,
  flow: Flow,
  now: Ms,
): Identified | undefined {
  if (flow.protocol !== 'ws' && flow.protocol !== 'wss') return undefined;
  const trunk = config.trunks.find(({ browser }) => browser);
  if (trunk === undefined) return undefined;
  const claimed = claimedUser(request);
  if (claimed === undefined || !phones.isPhone(claimed)) return undefined;
  const { address } = flow.remote;
  const { realm } = config;
  const verdict = guard.verify(request, realm, address, now, (username) =>
    username === claimed ? phones.secretsOf(username, realm) : undefined,
  );
  const challenge = (stale: boolean) => guard.challenge(realm, address, now, { stale, algorithms: PHONE_ALGORITHMS });
  switch (verdict.kind) {
    case 'accepted':
      return { kind: 'trunk', trunk, username: verdict.username, phone: phones.grantOf(verdict.username) };
    case 'mismatch':
      return verdict;
    case 'wrong':
      return { kind: 'wrong', username: verdict.username, values: challenge(false) };
    default:
      return { kind: 'challenge', values: challenge(verdict.kind === 'stale') };
  }
}

/** A fingerprint identifies by itself; names are believed when the chain was checked. */
function shows({ names, fingerprints }: NonNullable<Trunk['certificate']>, peer: PeerIdentity | undefined): boolean {
  if (peer === undefined) return false;
  if (fingerprints.has(peer.fingerprint256.replaceAll(':', '').toLowerCase())) return true;
  if (!peer.authorized) return false;
  // RFC 5922 7.1: the names that count are SIP URIs and DNS names; the common name only without any.
  const alternatives = peer.altNames.map((name) => /^(?:DNS|URI):(?:sips?:)?(.+)$/i.exec(name)?.[1]?.toLowerCase());
  const said = alternatives.filter((name) => name !== undefined);
  return said.length > 0
    ? said.some((name) => names.has(name))
    : peer.commonName !== undefined && names.has(peer.commonName.toLowerCase());
}

function claimedUser(request: SipRequest): string | undefined {
  try {
    return /^sips?:([^@;]+)@/i.exec(request.from.uri)?.[1];
  } catch {
    return undefined;
  }
}

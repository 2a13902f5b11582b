import type { TransferWish } from '../../call/legs/call-leg.ts';
import { formatReplaces } from '../../sip/message/transfer.ts';
import type { IncomingReferral } from '../../sip/session/incoming-referral.ts';
import { SessionLeg } from '../embedded/session-leg.ts';
import { isHost, matches, readDialled, userOf } from './destination.ts';
import type { Gateway } from './gateway.ts';

/** A header of somebody else's that goes on in a request of ours. */
const PASSED_ON = /^[\x20-\x7e]{1,512}$/;

/**
 * Where a person who was called by this gateway may transfer a caller to, by a REFER of their telephone: to a queue by
 * its name, to numbers and hosts that the gateway's `transfers` name, or to whoever another call of theirs with us is
 * with. Undefined: not there. What is dialled then is dialled as every call is, with all limits of the gateways.
 */
export function transferTarget(
  { transfers }: Gateway,
  leg: SessionLeg,
  referral: IncomingReferral,
): TransferWish['to'] | undefined {
  if (transfers === undefined) return undefined;
  const { target, replaces, referredBy } = referral;
  if (replaces !== undefined) {
    const other = SessionLeg.of(replaces);
    // Both have to be theirs: nobody else's call is for them to give away.
    return other !== undefined && other !== leg && other.isWith(leg) ? { leg: other } : undefined;
  }
  const dialled = readDialled(target.uri);
  if (dialled === undefined) return undefined;
  const user = dialled.kind === 'uri' ? userOf(dialled.uri) : dialled.number;
  if (target.replaces === undefined && transfers.queues.includes(user)) return { queue: user };
  const headers: Record<string, string> = {};
  if (referredBy !== undefined && PASSED_ON.test(referredBy)) headers['Referred-By'] = referredBy;
  if (target.replaces !== undefined) headers.Replaces = formatReplaces(target.replaces);
  // An extension is named with the host of the agent's own exchange, or with ours: what counts is the number. Whose place
  // is to be taken is found only where it is.
  if (headers.Replaces === undefined && matches(transfers.numbers, user)) return { dial: user, headers };
  const named = dialled.kind === 'uri' && transfers.hosts.some((host) => isHost(host, dialled.uri));
  return named ? { dial: target.uri, headers } : undefined;
}

import type { CallSignalling, Party } from '../../call/legs/call-leg.ts';
import {
  asksAnonymity,
  isAnonymousUri,
  readAssertedIdentities,
  readDiversions,
  readHistory,
  readRemotePartyId,
  readUserToUser,
} from '../../sip/message/identity.ts';
import type { SipRequest } from '../../sip/message/message.ts';
import type { NameAddr } from '../../sip/message/values.ts';
import { partyOf } from './party.ts';

/** What stands in the place of an identity that is not to be known (RFC 3323 4.1.1.3). */
const ANONYMOUS = 'sip:anonymous@anonymous.invalid';

/** Characters of one value that are kept. */
const LONGEST = 256;

/**
 * Who calls. A trusted peer's P-Asserted-Identity (or Remote-Party-ID) counts for more than the From; from anybody else
 * it is not even read. A caller who asks for privacy has no number and no name, whatever the headers still carry.
 */
export function identityOf(request: SipRequest, trusted: boolean): { remote: Party; signalling: CallSignalling } {
  const anonymous = asksAnonymity(request);
  const asserted = trusted && !anonymous ? assertionsIn(request) : [];
  const claimed = request.from;
  const caller = best(asserted) ?? claimed;
  const claim =
    caller !== claimed && caller.uri !== claimed.uri && !isAnonymousUri(claimed.uri) ? claimed.uri : undefined;
  const diversions = readDiversions(request.headers).map(({ address, reason, counter, private: hidden }) =>
    withoutGaps({ uri: shown(address.uri, hidden), reason: clipped(reason), counter }),
  );
  const history = readHistory(request.headers).map(({ uri, index, cause, private: hidden }) =>
    withoutGaps({ uri: shown(uri, hidden), index: clipped(index), cause }),
  );
  const userToUser = readUserToUser(request.headers).map(({ value, encoding, purpose }) =>
    withoutGaps({ value: clipped(value), encoding: clipped(encoding), purpose: clipped(purpose) }),
  );
  return {
    remote: anonymous ? { uri: ANONYMOUS } : partyOf(caller.uri, caller.displayName),
    signalling: withoutGaps({
      trusted,
      anonymous: anonymous ? (true as const) : undefined,
      claimed: clipped(claim),
      asserted: unlessEmpty(asserted.map(({ uri }) => clipped(uri))),
      diversions: unlessEmpty(diversions),
      history: unlessEmpty(history),
      userToUser: unlessEmpty(userToUser),
    }),
  };
}

function assertionsIn(request: SipRequest): NameAddr[] {
  const asserted = readAssertedIdentities(request.headers);
  if (asserted.length > 0) return asserted;
  const party = readRemotePartyId(request.headers);
  return party === undefined ? [] : [party.address];
}

/** The one with a telephone number, when there are two (RFC 3325 9.1: a sip and a tel URI). */
function best(asserted: readonly NameAddr[]): NameAddr | undefined {
  return asserted.find(({ uri }) => partyOf(uri, undefined).number !== undefined) ?? asserted[0];
}

function shown(uri: string, hidden: boolean): string {
  return hidden ? ANONYMOUS : clipped(uri);
}

function clipped<T extends string | undefined>(text: T): T {
  return text === undefined ? text : (text.slice(0, LONGEST) as T);
}

function unlessEmpty<T>(list: T[]): T[] | undefined {
  return list.length === 0 ? undefined : list;
}

type WithoutGaps<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

function withoutGaps<T extends object>(facts: T): WithoutGaps<T> {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as WithoutGaps<T>;
}

import { Failure } from '../../core/errors.ts';
import { OutgoingLine, type OutgoingRequest } from '../legs/call-line.ts';
import type { CallParties, CallPartiesOptions } from './parties.ts';
import { Party, type PartyRole } from './party.ts';

export interface PartyToDial extends OutgoingRequest {
  role: PartyRole;
  /** For the record. Default: the number. */
  name?: string | undefined;
  /** What their telephone says before it is answered: 180, 183 ... */
  onProgress?: ((status: number) => void) | undefined;
}

/** @see CallParties.dial */
export async function dialInto(
  parties: CallParties,
  { dialler, media, caller, codecs, scribe, log }: CallPartiesOptions,
  { role, name, onProgress, ...request }: PartyToDial,
  signal: AbortSignal,
): Promise<Party> {
  if (dialler === undefined) {
    throw new Failure('nobody can be called', { code: 'dial-no-gateway', blame: 'us', sipStatus: 503 });
  }
  const party = new Party({
    role,
    name: name ?? request.to,
    line: new OutgoingLine(dialler, { ...request, whenUncounted: 'own-count' }),
    media,
    beside: caller,
    codecs,
    log,
    onDialling: (sipCallId) => parties.trace(sipCallId),
    onProgress,
  });
  parties.add(party);
  scribe.event('party-dialled', { party: party.id, role, name: party.name });
  const { sipCallId } = await party.connect(signal);
  // Another one than was dialled, where somebody has picked the call up.
  if (sipCallId !== undefined) parties.trace(sipCallId);
  scribe.event('party-answered', { party: party.id, role });
  return party;
}

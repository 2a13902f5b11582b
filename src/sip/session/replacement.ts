import type { SipRequest } from '../message/message.ts';
import { readReplaces } from '../message/transfer.ts';
import { dialogKey } from './dialog.ts';
import type { Refusal } from './incoming-invite.ts';
import type { Session } from './session.ts';
import type { Stack } from './stack.ts';

/**
 * The call an INVITE with Replaces is to take the place of (RFC 3891 3): undefined without that header, a refusal where
 * it does not fit: 481 for a dialog that is not ours, or rings still and was not begun by us, 486 where it has been answered
 * but only an early one was meant, 603 where it has ended. Whether this caller may do so is for the user of the stack to say.
 * @throws Failure 400 for a header nobody can read
 */
export function replacedBy(request: SipRequest, stack: Stack): Session | Refusal | undefined {
  const wanted = readReplaces(request.headers);
  if (wanted === undefined) return undefined;
  const session = stack.sessions.get(dialogKey(wanted.callId, wanted.toTag, wanted.fromTag));
  if (session === undefined) return { status: 481 };
  switch (session.dialog.state) {
    case 'terminated':
      return { status: 603 };
    case 'early':
      return session.pickUp === undefined ? { status: 481 } : session;
    case 'confirmed':
      return wanted.earlyOnly ? { status: 486 } : session;
  }
}

/** How calls of a phone in the page come to nothing, or end, in words for the person at it. */

const REFUSALS: Record<number, string> = {
  401: 'The connector did not let this phone in. Try again.',
  403: 'The connector did not let this phone in.',
  404: 'Nobody answers at this number.',
  480: 'Nobody answers at this number now.',
  486: 'The line is busy.',
  488: 'The connector and this browser have no way of speaking in common.',
  503: 'The connector takes no more calls now. Try again in a moment.',
};

export const GONE = 'The other side has hung up.';
export const MISSED = 'The call went away before it was taken.';
export const UNANSWERED = 'The call was not answered.';

export function refusalOf(status: number, reason: string): string {
  return REFUSALS[status] ?? `The connector refused the call (${status} ${reason}).`;
}

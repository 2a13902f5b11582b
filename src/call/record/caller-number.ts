/**
 * A caller's number as stored in caller_phone: E.164 with its plus where the digits allow it, otherwise the bare
 * digits of an extension; '' for an anonymous or non-numeric caller. The raw identity is kept beside it.
 */
export function normaliseNumber(userPart: string | undefined): string {
  if (userPart === undefined) return '';
  const bare = decodeURIComponentSafe(userPart).replace(/[\s().-]/g, '');
  const match = /^(\+|00)?(\d{2,15})$/.exec(bare);
  if (!match) return '';
  return match[1] ? `+${match[2]}` : match[2]!;
}

function decodeURIComponentSafe(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

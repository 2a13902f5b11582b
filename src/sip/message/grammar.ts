/** Scanning helpers for RFC 3261 section 25.1. Hand-written scans: they run for every header that is looked into. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** RFC 3261 `token`. */
const TOKEN_CHARS = (() => {
  const table = new Uint8Array(128);
  const chars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~";
  for (const char of chars) table[char.charCodeAt(0)] = 1;
  return table;
})();

export function isToken(text: string): boolean {
  if (text.length === 0) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 128 || TOKEN_CHARS[code] === 0) return false;
  }
  return true;
}

/** Decimal digits only, at most `max`; undefined otherwise. Leading zeros are allowed, as the grammar allows them. */
export function parseDecimal(text: string, max: number): number | undefined {
  if (text.length === 0 || text.length > 10) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value <= max ? value : undefined;
}

/** Index behind the closing quote of the quoted string that opens at `start`, or -1 when it never closes. */
export function endOfQuoted(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) i++;
    else if (code === QUOTE) return i + 1;
  }
  return -1;
}

/**
 * Index of `separator` at or after `from`, outside quoted strings and angle brackets; -1 when there is none.
 * An unclosed quote or bracket hides the rest, so that the one who parses the piece finds the fault.
 */
export function indexOutside(text: string, separator: string, from: number): number {
  const wanted = separator.charCodeAt(0);
  let angle = false;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE && !angle) {
      const end = endOfQuoted(text, i);
      if (end === -1) return -1;
      i = end - 1;
    } else if (code === 0x3c) angle = true;
    else if (code === 0x3e) angle = false;
    else if (code === wanted && !angle) return i;
  }
  return -1;
}

/** Splits a header value at `separator` outside quotes and angle brackets; pieces are trimmed, empty ones dropped. */
export function splitOutside(text: string, separator: string): string[] {
  if (text.indexOf(separator) === -1) {
    const only = text.trim();
    return only === '' ? [] : [only];
  }
  const pieces: string[] = [];
  let start = 0;
  while (start <= text.length) {
    const at = indexOutside(text, separator, start);
    const end = at === -1 ? text.length : at;
    const piece = text.slice(start, end).trim();
    if (piece !== '') pieces.push(piece);
    start = end + 1;
  }
  return pieces;
}

/** The text of a quoted string, escapes resolved; a value that is not quoted is returned as it is. */
export function unquote(value: string): string {
  if (value.length < 2 || value.charCodeAt(0) !== QUOTE) return value;
  const inner = value.slice(1, -1);
  return inner.indexOf('\\') === -1 ? inner : inner.replace(/\\([\s\S])/g, '$1');
}

/** Control characters become blanks: legal in a quoted-pair, but nothing a peer should be asked to read. */
export function quote(text: string): string {
  return `"${text.replace(/[\x00-\x1f\x7f]/g, ' ').replace(/["\\]/g, '\\$&')}"`;
}

/** A lone CR or LF, or NUL: line ends to some readers, not to others. `\` NUL is a quoted-pair, and legal (25.1). */
export function hasBreak(value: string): boolean {
  if (value.indexOf('\n') !== -1 || value.indexOf('\r') !== -1) return true;
  return value.indexOf('\0') !== -1 && /(?:^|[^\\])(?:\\\\)*\0/.test(value);
}

import { endOfQuoted, isToken } from './grammar.ts';

/**
 * Parameters behind a header value or a URI: `;name=value;flag`. Names compare without regard to case and are kept
 * in lower case; values are kept as written, quotes included, so that a round trip changes nothing.
 */
export class Params {
  readonly #entries: [name: string, value: string | undefined][];

  constructor(entries: [string, string | undefined][] = []) {
    this.#entries = entries;
  }

  /** The value; '' for a parameter without one; undefined when it is absent. */
  get(name: string): string | undefined {
    for (const entry of this.#entries) if (entry[0] === name) return entry[1] ?? '';
    return undefined;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** A copy with this parameter set; `undefined` makes it a flag. */
  with(name: string, value: string | undefined): Params {
    const entries = this.#entries.filter((entry) => entry[0] !== name);
    entries.push([name, value]);
    return new Params(entries);
  }

  without(name: string): Params {
    return new Params(this.#entries.filter((entry) => entry[0] !== name));
  }

  get size(): number {
    return this.#entries.length;
  }

  [Symbol.iterator](): IterableIterator<[string, string | undefined]> {
    return this.#entries[Symbol.iterator]();
  }

  /** With the leading semicolons, '' when there are none. */
  toString(): string {
    let text = '';
    for (const [name, value] of this.#entries) text += value === undefined ? `;${name}` : `;${name}=${value}`;
    return text;
  }
}

export const NO_PARAMS = new Params();

/**
 * Parses `;a=b;c="d;e"` from `start`, where the first non-blank must be a semicolon. undefined when it is malformed.
 * Used for header parameters; URI parameters have escapes instead of quotes and are parsed with `quoted: false`.
 */
export function parseParams(text: string, start: number, quoted: boolean): Params | undefined {
  let at = skipBlank(text, start);
  if (at === text.length) return NO_PARAMS;
  const entries: [string, string | undefined][] = [];
  while (at < text.length) {
    if (text.charCodeAt(at) !== 0x3b) return undefined;
    let end = at + 1;
    let equals = -1;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      if (code === 0x3b) break;
      if (code === 0x3d && equals === -1) equals = end;
      if (code === 0x22) {
        if (!quoted || equals === -1) return undefined;
        const close = endOfQuoted(text, end);
        if (close === -1) return undefined;
        end = close - 1;
      }
    }
    const name = text.slice(at + 1, equals === -1 ? end : equals).trim();
    const value = equals === -1 ? undefined : text.slice(equals + 1, end).trim();
    // A trailing `;` breaks the grammar but not the meaning; many peers send it. `;;` is refused (RFC 4475 3.1.2.1).
    if (name === '' && value === undefined) {
      if (end < text.length) return undefined;
    } else {
      if (quoted ? !isToken(name) : !isParamName(name)) return undefined;
      if (value !== undefined && (value === '' || (quoted && !isHeaderValue(value)))) return undefined;
      entries.push([name.toLowerCase(), value]);
    }
    at = end;
  }
  return entries.length === 0 ? NO_PARAMS : new Params(entries);
}

/**
 * A header value of the form `value;name=value;flag`: what stands before the parameters, trimmed, and the parameters;
 * undefined where they are malformed. A semicolon in a quoted value is the value's own.
 */
export function splitParams(text: string): { value: string; params: Params | undefined } {
  let semicolon = text.indexOf(';');
  const quote = text.indexOf('"');
  if (quote !== -1 && quote < semicolon) semicolon = text.indexOf(';', Math.max(endOfQuoted(text, quote), quote));
  if (semicolon === -1) return { value: text.trim(), params: NO_PARAMS };
  return { value: text.slice(0, semicolon).trim(), params: parseParams(text, semicolon, true) };
}

function isParamName(name: string): boolean {
  return name !== '' && !/[\s"<>;=?,]/.test(name);
}

/** token, host (IPv6 brackets and colons) or a quoted string that is the whole value. */
function isHeaderValue(value: string): boolean {
  if (value.charCodeAt(0) === 0x22) return endOfQuoted(value, 0) === value.length;
  return !/[\s"<>,]/.test(value);
}

function skipBlank(text: string, at: number): number {
  let i = at;
  while (i < text.length && (text.charCodeAt(i) === 0x20 || text.charCodeAt(i) === 0x09)) i++;
  return i;
}

import { Failure } from '../../core/errors.ts';
import { hasBreak, isToken, splitOutside } from './grammar.ts';

/** Canonical spellings of the names we meet; others keep the spelling they came with. */
const CANONICAL = [
  'Via From To Call-ID CSeq Contact Max-Forwards Content-Type Content-Length Content-Encoding Content-Disposition',
  'Content-Language Route Record-Route Allow Supported Require Proxy-Require Unsupported Accept Accept-Encoding',
  'Accept-Language User-Agent Server Expires Date Subject Organization Priority Retry-After Reason Warning Timestamp',
  'Authorization WWW-Authenticate Proxy-Authorization Proxy-Authenticate Authentication-Info Alert-Info Call-Info',
  'Error-Info In-Reply-To Min-Expires MIME-Version Reply-To Event Refer-To Referred-By Allow-Events RSeq RAck',
  'Session-Expires Min-SE P-Asserted-Identity P-Preferred-Identity Privacy Diversion History-Info Info-Package',
  'User-to-User Recv-Info Remote-Party-ID Replaces Path Service-Route Identity Refer-Sub Subscription-State Target-Dialog Join',
].flatMap((line) => line.split(' '));

/** RFC 3261 7.3.3 and the IANA registry of compact forms. */
const COMPACT: Readonly<Record<string, string>> = {
  v: 'Via',
  f: 'From',
  t: 'To',
  i: 'Call-ID',
  m: 'Contact',
  c: 'Content-Type',
  l: 'Content-Length',
  e: 'Content-Encoding',
  k: 'Supported',
  s: 'Subject',
  o: 'Event',
  r: 'Refer-To',
  b: 'Referred-By',
  u: 'Allow-Events',
  x: 'Session-Expires',
  y: 'Identity',
};

export interface KnownName {
  key: string;
  name: string;
}

const KNOWN = new Map<string, KnownName>();
for (const name of CANONICAL) {
  const known = { key: name.toLowerCase(), name };
  KNOWN.set(name, known);
  KNOWN.set(known.key, known);
}
for (const [compact, name] of Object.entries(COMPACT)) {
  const known = KNOWN.get(name)!;
  KNOWN.set(compact, known);
  KNOWN.set(compact.toUpperCase(), known);
}

interface Entry {
  /** Lower case, compact forms expanded. */
  readonly key: string;
  readonly name: string;
  readonly value: string;
  /** What a typed accessor made of `value`; entries are replaced, never changed, so it cannot go stale. */
  parsed: unknown;
}

/** Header fields in the order they came, found by name without regard to case or compact form. */
export class Headers {
  #entries: Entry[] = [];

  /** First value under this name (lower case, long form), as written. */
  get(key: string): string | undefined {
    for (const entry of this.#entries) if (entry.key === key) return entry.value;
    return undefined;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** Lines under this name, as written. */
  lines(key: string): string[] {
    const lines: string[] = [];
    for (const entry of this.#entries) if (entry.key === key) lines.push(entry.value);
    return lines;
  }

  /** All values of a header that may list several on one line (RFC 3261 7.3.1). */
  list(key: string): string[] {
    const values: string[] = [];
    for (const entry of this.#entries) if (entry.key === key) values.push(...splitOutside(entry.value, ','));
    return values;
  }

  /** First value, parsed once. @throws what `parse` throws */
  typed<T>(key: string, parse: (value: string) => T): T | undefined {
    for (const entry of this.#entries) {
      if (entry.key === key) {
        entry.parsed ??= parse(entry.value);
        return entry.parsed as T;
      }
    }
    return undefined;
  }

  /** Replaces all lines of this name by these. @throws RangeError for a line break or a name that is no token */
  set(name: string, ...values: string[]): this {
    const { key } = nameOf(name);
    const at = this.#entries.findIndex((entry) => entry.key === key);
    const fresh = values.map((value) => entryOf(name, value));
    if (at === -1) this.#entries.push(...fresh);
    else {
      const kept = this.#entries.filter((entry) => entry.key !== key);
      kept.splice(at, 0, ...fresh);
      this.#entries = kept;
    }
    return this;
  }

  append(name: string, value: string): this {
    this.#entries.push(entryOf(name, value));
    return this;
  }

  /** Puts a line above all others of its name. */
  prepend(name: string, value: string): this {
    const entry = entryOf(name, value);
    const at = this.#entries.findIndex((other) => other.key === entry.key);
    this.#entries.splice(Math.max(at, 0), 0, entry);
    return this;
  }

  /** Replaces the first of possibly many values, keeping the others of its line. */
  replaceFirst(name: string, value: string): this {
    const rest = this.list(nameOf(name).key).slice(1);
    return this.set(name, value, ...rest);
  }

  delete(key: string): this {
    this.#entries = this.#entries.filter((entry) => entry.key !== key);
    return this;
  }

  /** A line straight off the wire: the parser has checked it. */
  appendParsed(rawName: string, value: string, known = KNOWN.get(rawName)): string {
    const { key, name } = known ?? nameOf(rawName);
    this.#entries.push({ key, name, value, parsed: undefined });
    return key;
  }

  clone(): Headers {
    const copy = new Headers();
    copy.#entries = this.#entries.slice();
    return copy;
  }

  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (const entry of this.#entries) yield [entry.name, entry.value];
  }

  /** The lines, each with its CRLF, without Content-Length, which only the serializer knows. */
  toString(): string {
    let text = '';
    for (const entry of this.#entries) {
      if (entry.key !== 'content-length') text += `${entry.name}: ${entry.value}\r\n`;
    }
    return text;
  }
}

/** A spelling of a name that we know; undefined for others, which the parser has to look at. */
export function knownName(name: string): KnownName | undefined {
  return KNOWN.get(name);
}

function nameOf(name: string): KnownName {
  const known = KNOWN.get(name);
  if (known !== undefined) return known;
  const key = name.toLowerCase();
  return KNOWN.get(key) ?? { key, name };
}

function entryOf(rawName: string, value: string): Entry {
  const { key, name } = nameOf(rawName);
  // Whoever can put a line break into a header can write headers of his own.
  if (hasBreak(value) || !isToken(name)) {
    throw new Failure(`header ${JSON.stringify(name)} would break the message`, {
      code: 'sip-header-injection',
      blame: 'us',
    });
  }
  return { key, name, value, parsed: undefined };
}

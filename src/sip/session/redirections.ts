import type { Failure } from '../../core/errors.ts';
import type { SipResponse } from '../message/message.ts';
import { parseSipUri, type SipUri } from '../message/uri.ts';
import { parseNameAddr } from '../message/values.ts';

/** May this Contact of a 3xx be called? It is asked about each, and whoever dials has to know: toll fraud begins here. */
export type RedirectPolicy = (target: SipUri) => boolean;

/** Redirections followed for one call, and targets called. */
const MAX_REDIRECTIONS = 5;
const MAX_TARGETS = 8;

/** The targets of one call (RFC 3261 8.1.3.4): the one that was asked for, then those it was redirected to. Pure. */
export class Redirections {
  readonly #policy: RedirectPolicy | undefined;
  readonly #secure: boolean;
  /** No target is called twice: that is what loops are made of. */
  readonly #seen = new Set<string>();
  #waiting: string[];
  #followed = 0;
  #called = 0;

  constructor(uri: string, policy: RedirectPolicy | undefined) {
    this.#policy = policy;
    this.#secure = uri.startsWith('sips:');
    this.#seen.add(uri);
    this.#waiting = [uri];
  }

  /** The next target to call; undefined when that is the end. */
  next(): string | undefined {
    if (this.#called >= MAX_TARGETS) return undefined;
    this.#called++;
    return this.#waiting.shift();
  }

  /** Takes in how the last target failed. After one refusal too many, or one that speaks for all, none is left. */
  take(refusal: SipResponse | undefined, { sipStatus, code }: Failure): void {
    if (refusal !== undefined && [300, 301, 302].includes(refusal.status)) {
      // Where a target leads on, that comes before its siblings.
      this.#waiting = ++this.#followed > MAX_REDIRECTIONS ? [] : [...this.#permitted(refusal), ...this.#waiting];
    } else if (sipStatus >= 600 || code === 'sip-cancelled' || code === 'sip-no-answer') this.#waiting = [];
  }

  /** By q, 1 where there is none (20.10). */
  #permitted(response: SipResponse): string[] {
    const found: { uri: string; q: number }[] = [];
    for (const line of response.headers.list('contact')) {
      try {
        const { uri, params } = parseNameAddr(line);
        const target = parseSipUri(uri);
        const q = Number.parseFloat(params.get('q') ?? '1');
        if (this.#seen.has(uri) || !this.#isFollowed(target)) continue;
        this.#seen.add(uri);
        found.push({ uri, q: Number.isNaN(q) ? 1 : q });
      } catch {
        // tel: and what nobody can read is nothing to be called.
      }
    }
    return found.toSorted((a, b) => b.q - a.q).map(({ uri }) => uri);
  }

  /** Header fields in a Contact would be ours to send, and sips: is not to become sip: (8.1.3.4). */
  #isFollowed(target: SipUri): boolean {
    if (target.headers !== '' || (this.#secure && target.scheme !== 'sips')) return false;
    return this.#policy?.(target) ?? false;
  }
}

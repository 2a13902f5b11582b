import type { Ms } from '../../core/clock.ts';
import { sourceOf } from '../../core/source.ts';
import type { ConnectionLimits } from './connection-limits.ts';

export type GateRefusal = 'full' | 'source-full' | 'source-rate' | 'unwelcome';

/** Sources whose pace is remembered; when full, the one heard of longest ago and without a connection is forgotten. */
const MAX_SOURCES = 4_096;

interface Source {
  open: number;
  /** Connections that may still come at once. */
  tokens: number;
  at: Ms;
}

/** One place among the connections. */
export interface Pass {
  /** The connection has brought something sensible: it no longer makes room for others. */
  prove(): void;
  /** It is over. Idempotent. */
  leave(): void;
}

/**
 * Who may have a connection: a limit for all, one for each source, and a pace for each source. All listeners of a user
 * agent share one, so that an attacker gains nothing by knocking at several doors. Time is an argument.
 */
export class ConnectionGate {
  readonly refused: Record<GateRefusal, number> = {
    full: 0,
    'source-full': 0,
    'source-rate': 0,
    unwelcome: 0,
  };
  /** Connections that made room for others. */
  evicted = 0;
  readonly #limits: ConnectionLimits;
  readonly #welcome: (address: string) => boolean;
  readonly #sources = new Map<string, Source>();
  /** Oldest first. */
  readonly #unproven = new Map<Pass, () => void>();
  #open = 0;

  /** `welcome`: may this address connect at all? Asked first: a handshake of TLS is dear. */
  constructor(limits: ConnectionLimits, welcome: (address: string) => boolean = () => true) {
    this.#limits = limits;
    this.#welcome = welcome;
  }

  get open(): number {
    return this.#open;
  }

  get sources(): number {
    return this.#sources.size;
  }

  /** A peer connects. `evict` is called when this connection has to make room before it is proven. */
  accept(address: string, now: Ms, evict: () => void): Pass | GateRefusal {
    if (!this.#welcome(address)) {
      this.refused.unwelcome++;
      return 'unwelcome';
    }
    const source = this.#source(sourceOf(address), now);
    const refusal = this.#refusal(source);
    if (refusal !== undefined) {
      this.refused[refusal]++;
      return refusal;
    }
    source.tokens--;
    source.open++;
    const pass = this.#take(() => source.open--);
    this.#unproven.set(pass, evict);
    return pass;
  }

  /** We connect. undefined: there is no room. */
  connect(): Pass | undefined {
    if (this.#open >= this.#limits.maxConnections && !this.#makeRoom()) {
      this.refused.full++;
      return undefined;
    }
    return this.#take(() => undefined);
  }

  /** Forgets sources that have nothing open and have kept quiet long enough to start afresh. */
  sweep(now: Ms): void {
    for (const [key, source] of this.#sources) {
      if (source.open === 0 && this.#tokens(source, now) >= this.#limits.acceptBurst) this.#sources.delete(key);
    }
  }

  #refusal(source: Source): GateRefusal | undefined {
    // The cheapest test and the least guilty source first: who is too fast must not push out anybody.
    if (source.tokens < 1) return 'source-rate';
    if (source.open >= this.#limits.maxPerSource) return 'source-full';
    if (this.#open >= this.#limits.maxConnections && !this.#makeRoom()) return 'full';
    return undefined;
  }

  #makeRoom(): boolean {
    for (const [pass, evict] of this.#unproven) {
      this.evicted++;
      pass.leave();
      evict();
      return true;
    }
    return false;
  }

  #take(left: () => void): Pass {
    this.#open++;
    let here = true;
    const pass: Pass = {
      prove: () => void this.#unproven.delete(pass),
      leave: () => {
        if (!here) return;
        here = false;
        this.#open--;
        this.#unproven.delete(pass);
        left();
      },
    };
    return pass;
  }

  #source(key: string, now: Ms): Source {
    const known = this.#sources.get(key);
    if (known !== undefined) {
      known.tokens = this.#tokens(known, now);
      known.at = now;
      return known;
    }
    if (this.#sources.size >= MAX_SOURCES) this.#forgetOne();
    const source = { open: 0, tokens: this.#limits.acceptBurst, at: now };
    this.#sources.set(key, source);
    return source;
  }

  /** Those with connections stay: there are never more of them than connections. */
  #forgetOne(): void {
    for (const [key, source] of this.#sources) {
      if (source.open > 0) continue;
      this.#sources.delete(key);
      return;
    }
  }

  #tokens(source: Source, now: Ms): number {
    const { acceptsPerSecond, acceptBurst } = this.#limits;
    return Math.min(acceptBurst, source.tokens + ((now - source.at) * acceptsPerSecond) / 1000);
  }
}

import type { Ms } from '../../core/clock.ts';
import {
  ATTRIBUTE,
  BINDING_ERROR,
  BINDING_REQUEST,
  BINDING_SUCCESS,
  buildStun,
  errorCode,
  isAuthentic,
  parseStun,
  type StunMessage,
  xorAddress,
} from './stun.ts';

/** User names and passwords of both sides (RFC 8839 section 5.4). */
export interface IceCredentials {
  localUfrag: string;
  localPassword: string;
  remoteUfrag: string;
}

/** What became of a datagram. */
export interface IceCheck {
  reply: Uint8Array | undefined;
  /** It is a check of the peer's own, which asks for our consent (RFC 7675): the peer is there. */
  passed: boolean;
  /** The peer wants media to go there now. */
  nominated: boolean;
}

/** Pairs that a peer may have checked. Beyond, no new ones: a peer has some candidates, not hundreds. */
const MOST_PAIRS = 64;
/** Checks that are remembered, so that a copy of one from elsewhere moves nothing: more than half an hour of them. */
const MOST_TRANSACTIONS = 512;
/** A nominated pair without checks for this long gives way to any other (consent is asked every 5 s, RFC 7675 section 5.1). */
const SILENT_AFTER_MS = 12_000;
const NOTHING: IceCheck = { reply: undefined, passed: false, nominated: false };

interface Pair {
  address: string;
  port: number;
  priority: number;
  checkedAt: Ms;
}

/**
 * The lite side of ICE (RFC 8445 section 2.5): answers the peer's checks on one host candidate and lets it choose the pair.
 * Checks of consent (RFC 7675) are answered as any other. Pure: datagrams and time are passed in.
 */
export class IceLite {
  readonly #credentials: IceCredentials;
  readonly #pairs = new Map<string, Pair>();
  #nominated: Pair | undefined;
  /** Where each transaction came from; the oldest is forgotten. */
  readonly #transactions = new Map<string, string>();
  /** Checks that were not answered with success. */
  refused = 0;

  constructor(credentials: IceCredentials) {
    this.#credentials = credentials;
  }

  get nominated(): { address: string; port: number } | undefined {
    return this.#nominated;
  }

  /** Has the peer shown from there that it knows our password? */
  isChecked(address: string, port: number): boolean {
    return this.#pairs.has(`${address}:${port}`);
  }

  receive(data: Uint8Array, address: string, port: number, now: Ms): IceCheck {
    const message = parseStun(data);
    // Answers and indications are for agents that send checks, which we do not.
    if (message === undefined || message.type !== BINDING_REQUEST) return NOTHING;
    const refusal = this.#refusal(message);
    if (refusal) {
      this.refused++;
      return { ...NOTHING, reply: refusal };
    }
    const { transaction } = message;
    if (this.#isCopy(transaction, `${address}:${port}`)) {
      this.refused++;
      return NOTHING;
    }
    const nominated = this.#note(message, address, port, now);
    const mapped = xorAddress(address, port, transaction);
    const attributes = [[ATTRIBUTE.XOR_MAPPED_ADDRESS, mapped] as const];
    const reply = buildStun(BINDING_SUCCESS, transaction, attributes, this.#credentials.localPassword);
    return { reply, passed: true, nominated };
  }

  /** RFC 8489 section 9.1.3, RFC 8445 section 7.3.1.1. */
  #refusal(message: StunMessage): Buffer | undefined {
    const { attributes, transaction, unknown } = message;
    const { localUfrag, localPassword, remoteUfrag } = this.#credentials;
    const refuse = (code: number, reason: string, password?: string, more: [number, Buffer][] = []) =>
      buildStun(BINDING_ERROR, transaction, [[ATTRIBUTE.ERROR_CODE, errorCode(code, reason)], ...more], password);
    const username = attributes.get(ATTRIBUTE.USERNAME)?.toString();
    if (username === undefined || message.integrityAt === undefined) return refuse(400, 'Bad Request');
    if (username !== `${localUfrag}:${remoteUfrag}` || !isAuthentic(message, localPassword)) {
      return refuse(401, 'Unauthenticated');
    }
    if (unknown.length > 0) {
      const kinds = Buffer.alloc(unknown.length * 2);
      for (const [i, kind] of unknown.entries()) kinds.writeUInt16BE(kind, i * 2);
      return refuse(420, 'Unknown Attribute', localPassword, [[ATTRIBUTE.UNKNOWN_ATTRIBUTES, kinds]]);
    }
    // A lite agent never controls: who believes it is controlled itself has to take over.
    if (attributes.has(ATTRIBUTE.ICE_CONTROLLED)) return refuse(487, 'Role Conflict', localPassword);
    return undefined;
  }

  /** Somebody on the way may send a check again, in the hope that media follows: its integrity is as right as before. */
  #isCopy(transaction: Buffer, from: string): boolean {
    const id = transaction.toString('latin1');
    const known = this.#transactions.get(id);
    if (known !== undefined) return known !== from;
    if (this.#transactions.size >= MOST_TRANSACTIONS) {
      for (const oldest of this.#transactions.keys()) {
        this.#transactions.delete(oldest);
        break;
      }
    }
    this.#transactions.set(id, from);
    return false;
  }

  #note({ attributes }: StunMessage, address: string, port: number, now: Ms): boolean {
    const key = `${address}:${port}`;
    let pair = this.#pairs.get(key);
    if (pair === undefined) {
      if (this.#pairs.size >= MOST_PAIRS) return false;
      pair = { address, port, priority: 0, checkedAt: now };
      this.#pairs.set(key, pair);
    }
    pair.checkedAt = now;
    const priority = attributes.get(ATTRIBUTE.PRIORITY);
    if (priority?.length === 4) pair.priority = priority.readUInt32BE(0);
    if (!attributes.has(ATTRIBUTE.USE_CANDIDATE) || pair === this.#nominated) return false;
    // Peers that nominate every pair they check mean the best of them (RFC 5245 section 8.1.1.2, aggressive nomination).
    const current = this.#nominated;
    if (current && pair.priority < current.priority && now - current.checkedAt < SILENT_AFTER_MS) return false;
    this.#nominated = pair;
    return true;
  }
}

import { hash, randomUUID } from 'node:crypto';

/** Marks branches that are unique, so that they alone identify a transaction (RFC 3261 8.1.1.7). */
export const MAGIC_COOKIE = 'z9hG4bK';

export function newBranch(): string {
  return `${MAGIC_COOKIE}-${randomUUID()}`;
}

/** At least 32 random bits (19.3). */
export function newTag(): string {
  return randomUUID().slice(0, 18);
}

const SECRET = randomUUID();

/** A To tag for answers without state: the same for each retransmission, unguessable for others (8.2.7). */
export function statelessTag(seed: string): string {
  return hash('sha1', `${SECRET}${seed}`).slice(0, 18);
}

import { AddressSet, type Block } from '../../core/address-set.ts';
import type { DigestAlgorithm } from '../../sip/auth/digest.ts';
import type { DigestSecrets } from '../../sip/auth/digest-guard.ts';
import type { Note } from './note.ts';
import type { TrunkEntry } from './schema.ts';
import { digestUsers, type Environment } from './secrets.ts';
import type { TrunkMedia } from './trunk-media.ts';

/** A peer, or a kind of peers, that may call. All conditions that are there must hold. */
export interface Trunk {
  readonly name: string;
  /** Undefined: from anywhere. */
  readonly from: AddressSet | undefined;
  readonly digest: { users: ReadonlyMap<string, DigestSecrets>; algorithms: readonly DigestAlgorithm[] } | undefined;
  /** Lower case; `fingerprints` are SHA-256 without colons. */
  readonly certificate: { names: ReadonlySet<string>; fingerprints: ReadonlySet<string> } | undefined;
  /** The edge whose X-Trunk names it; it is known by nothing else. */
  readonly behind: string | undefined;
  /** Takes phones in browsers, which are known by credentials that we made for them. */
  readonly browser: boolean;
  /** Its word on who is calling (P-Asserted-Identity, RFC 3325) is believed. */
  readonly trustIdentity: boolean;
  readonly media: TrunkMedia;
  readonly limits: { calls: number | undefined; callsPerSecond: number | undefined; burst: number | undefined };
  /** Its addresses alone admit it: what comes from them is never held against them, since addresses can be forged. */
  readonly named: boolean;
}

/** What trunks share: the realm of their passwords, whence these come, and the users there are so far. */
export interface TrunkSurroundings {
  readonly realm: string;
  readonly folder: string;
  readonly env: Environment;
  readonly users: Set<string>;
}

export function compileTrunk(entry: TrunkEntry, { users, ...secrets }: TrunkSurroundings, note: Note): Trunk {
  const { name, from, digest, certificate, behind, browser, trustIdentity, media, limits } = entry;
  for (const [index, user] of (digest?.users ?? []).entries()) {
    if (users.has(user.name)) note(['digest', 'users', index, 'name'], 'there is another user of this name');
    users.add(user.name);
  }
  const { calls, callsPerSecond, burst } = limits;
  return {
    name,
    from: from && new AddressSet(from),
    digest: digest && {
      users: digestUsers(digest, secrets, (path, message) => note(['digest', ...path], message)),
      algorithms: digest.algorithms,
    },
    certificate: certificate && {
      names: new Set(certificate.names),
      fingerprints: new Set(certificate.fingerprints),
    },
    behind,
    browser,
    trustIdentity,
    media,
    limits: { calls, callsPerSecond, burst },
    named: from !== undefined && digest === undefined && !from.some(isEverything),
  };
}

/** An edge is a trunk that is known by itself: edges behind edges would have to be believed about each other. */
export function checkEdge(edge: string | undefined, trunks: ReadonlyMap<string, Trunk>, note: Note): void {
  if (edge === undefined) return;
  const trunk = trunks.get(edge);
  if (trunk === undefined) note(['behind'], `there is no trunk "${edge}"`);
  else if (trunk.behind !== undefined) note(['behind'], `"${edge}" is itself behind another trunk`);
}

function isEverything({ prefix }: Block): boolean {
  return prefix === 0;
}

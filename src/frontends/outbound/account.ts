import { createHash } from 'node:crypto';
import type { DigestAccount } from '../../sip/auth/digest-client.ts';
import { NO_PARAMS } from '../../sip/message/params.ts';
import { formatSipUri } from '../../sip/message/uri.ts';
import { formatNameAddr } from '../../sip/message/values.ts';
import type { Note } from '../trunks/note.ts';
import { type Environment, passwordOf } from '../trunks/secrets.ts';
import type { Trunk } from '../trunks/trunk.ts';
import type { AccountEntry } from './account-schema.ts';
import { escapedUser, looseRoute } from './invitation.ts';

/** A place where we are registered: checked, complete, unchanging. */
export interface Account {
  readonly name: string;
  /** Request-URI of REGISTER. */
  readonly registrar: string;
  /** As a header value. */
  readonly aor: string;
  readonly routes: readonly string[];
  readonly contactUser: string | undefined;
  readonly expiresSeconds: number;
  readonly auth: DigestAccount | undefined;
  /** What its calls are of. */
  readonly trunk: Trunk;
  readonly bot: string | undefined;
  /** Changes when anything in it does, the password included. */
  readonly fingerprint: string;
}

export function compileAccount(
  entry: AccountEntry,
  secrets: { folder: string; env: Environment },
  note: Note,
): Account {
  const { name, registrar, proxy, user, domain, displayName, auth, limits } = entry;
  const password = auth && (passwordOf(auth, secrets, (key, message) => note(['auth', key], message)) ?? '');
  const uri = formatSipUri({
    scheme: registrar.scheme,
    user: escapedUser(user),
    password: undefined,
    host: (domain ?? registrar).host,
    port: domain?.port,
    params: NO_PARAMS,
    headers: '',
  });
  return {
    name,
    registrar: formatSipUri(registrar),
    aor: formatNameAddr({ displayName, uri, params: NO_PARAMS }),
    routes: proxy === undefined ? [] : [looseRoute(proxy)],
    contactUser: entry.contactUser,
    expiresSeconds: entry.expiresSeconds,
    auth: auth && { username: auth.user, password: password!, realm: auth.realm },
    trunk: {
      name,
      from: undefined,
      digest: undefined,
      certificate: undefined,
      behind: undefined,
      browser: false,
      trustIdentity: entry.trustIdentity,
      media: entry.media,
      limits: { calls: limits.calls, callsPerSecond: limits.callsPerSecond, burst: limits.burst },
      named: true,
    },
    bot: entry.bot,
    fingerprint: createHash('sha256')
      .update(JSON.stringify([entry, password]))
      .digest('hex'),
  };
}

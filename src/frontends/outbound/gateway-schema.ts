import { z } from 'zod';
import { asFailure } from '../../core/errors.ts';
import { parseHostPort, parseSipUri, type SipUri } from '../../sip/message/uri.ts';
import { count, dialled, name, pattern, rate, reference } from '../trunks/schema-parts.ts';
import { trunkMedia } from '../trunks/trunk-media.ts';

/** The form of a gateway in sip-config/: by whom we call out, whom, and how often. */

/** A place: a sip: or sips: URI without a user, e.g. `sip:carrier.example;transport=tls`. */
export const place = z.string().transform((text, context): SipUri => {
  try {
    const uri = parseSipUri(/^sips?:/i.test(text) ? text : `sip:${text}`);
    if (uri.user === undefined && uri.headers === '') return uri;
    context.addIssue('must be a place such as sip:carrier.example;transport=tcp, without a user');
  } catch (error) {
    context.addIssue(`is no SIP URI: ${asFailure(error).code}`);
  }
  return z.NEVER;
});

export const host = z.string().transform((text, context) => {
  const found = parseHostPort(text);
  if (found !== undefined) return found;
  context.addIssue('must be a host, or host:port');
  return z.NEVER;
});

/** Credentials we show: the password is a reference. */
export const credentials = z
  .strictObject({
    user: z.string().min(1).max(128),
    password: reference.optional(),
    passwordFile: z.string().min(1).optional(),
    /** Shown to this realm only; to whoever asks when left out. */
    realm: z.string().min(1).max(128).optional(),
  })
  .refine(
    (one) => (one.password === undefined) !== (one.passwordFile === undefined),
    'needs one of password and passwordFile',
  );

const one = (entry: Record<string, unknown>) =>
  Object.values(entry).filter((given) => given !== undefined).length === 1;

const numbers = z
  .strictObject({ number: dialled.optional(), prefix: dialled.optional(), pattern: pattern.optional() })
  .refine(one, 'needs one of number, prefix and pattern');

const destination = z
  .strictObject({
    number: dialled.optional(),
    prefix: dialled.optional(),
    pattern: pattern.optional(),
    /** SIP URIs of this host (at any port, where it names none). */
    host: host.optional(),
  })
  .refine(one, 'needs one of number, prefix, pattern and host');

const rewriting = z.strictObject({
  /** Only of numbers that begin like this. */
  prefix: dialled.optional(),
  /** Characters taken off the front. */
  strip: z.number().int().min(0).max(32).default(0),
  prepend: z
    .string()
    .regex(/^\+?[0-9*#]{0,16}$/, 'must be digits')
    .default(''),
});

const rewritings = z.preprocess(
  (value) => (value === undefined || Array.isArray(value) ? value : [value]),
  z.array(rewriting).max(100).default([]),
);

/** Headers the stack writes itself, or that would lead the request elsewhere. */
const OURS =
  /^(via|v|from|f|to|t|call-id|i|cseq|contact|m|route|record-route|max-forwards|content-.*|c|e|l|require|supported|k|allow|proxy-require|authorization|proxy-authorization|session-expires|x|min-se)$/i;

export function isOurHeader(header: string): boolean {
  return OURS.test(header);
}

const headers = z.record(
  z
    .string()
    .regex(/^[A-Za-z][\w-]{0,63}$/, 'must be the name of a header')
    .refine((header) => !isOurHeader(header), 'is a header that the connector writes itself'),
  z.string().regex(/^[\x20-\x7e]{1,512}$/, 'must be printable ASCII, at most 512 characters'),
);

const limits = z
  .strictObject({
    /** At the same time. */
    calls: count.default(10),
    callsPerSecond: rate.default(5),
    burst: count.optional(),
    /** Within 24 hours. */
    callsPerDay: count.default(500),
    /** Of one and the same number, within 24 hours. */
    callsPerNumberPerDay: count.default(20),
    /** Of destinations that begin like this: 0 within 24 hours forbids them. */
    prefixes: z
      .array(
        z.strictObject({ prefix: dialled, calls: count.optional(), callsPerDay: z.number().int().min(0).optional() }),
      )
      .max(100)
      .default([]),
  })
  .prefault({});

const seconds = (least: number, most: number) => z.number().min(least).max(most);

export const gateway = z
  .strictObject({
    name,
    /** Where telephone numbers are called; not needed by a gateway that calls SIP URIs only. */
    to: place.optional(),
    /** Everything is sent there, with a Route (outbound proxy). */
    proxy: place.optional(),
    auth: credentials.optional(),
    from: z
      .strictObject({
        number: dialled.optional(),
        displayName: z.string().max(128).optional(),
        /** Of the From URI. Default: the host of `to`. */
        domain: host.optional(),
        /** Other numbers that a call may show. */
        allow: z.array(numbers).max(100).default([]),
        rewrite: rewritings,
        /** Asks the network not to show the number (RFC 3323). */
        private: z.boolean().default(false),
        /** Says the number in P-Asserted-Identity as well (RFC 3325): for networks that trust us. */
        assert: z.boolean().default(false),
      })
      .prefault({}),
    destinations: z.array(destination).min(1).max(1_000),
    /** Never dialled, whatever `destinations` say. */
    forbidden: z.array(numbers).max(1_000).default([]),
    rewrite: rewritings,
    /** Lower is tried first; equal ones in the order of the files. */
    priority: z.number().int().min(0).max(1_000).default(100),
    ringSeconds: seconds(1, 600).default(60),
    /** Given up, and the next server or gateway tried, when it has said nothing at all for this long. */
    silenceSeconds: seconds(0.5, 32).default(5),
    limits,
    headers: headers.default({}),
    media: trunkMedia.prefault({}),
    /** Hosts that a redirection (3xx) of it may lead to, with a number that it may call. None: not followed. */
    redirects: z.array(host).max(100).default([]),
    /** Where people called by it may transfer callers to, by a REFER of their own. Left out: nowhere. */
    transfers: z
      .strictObject({
        /** By their names, dialled as a user part. */
        queues: z.array(name).max(100).default([]),
        /** Dialled by whichever gateway serves them. */
        destinations: z.array(destination).max(1_000).default([]),
      })
      .optional(),
    /** Reliable provisional responses (RFC 3262). */
    reliableProvisionals: z.enum(['supported', 'required', 'off']).default('supported'),
    /** Session timer that calls ask for (RFC 4028). */
    sessionExpiresSeconds: z.number().int().min(90).max(86_400).optional(),
    /** Asked this often, by OPTIONS, whether it is there; never when left out. */
    pingSeconds: seconds(1, 3_600).optional(),
    /** A registration whose Service-Route its calls take (RFC 3608). */
    registration: name.optional(),
  })
  .refine((entry) => entry.pingSeconds === undefined || entry.to !== undefined, 'pingSeconds needs `to`')
  .refine(
    (entry) => entry.to !== undefined || entry.destinations.every((one) => one.host !== undefined),
    'needs `to`, where telephone numbers are called',
  );

export type GatewayEntry = z.output<typeof gateway>;
export type NumberMatch = z.output<typeof numbers>;
export type HostMatch = z.output<typeof host>;
export type Rewriting = z.output<typeof rewriting>;
export type GatewayLimits = z.output<typeof limits>;

import { z } from 'zod';
import { count, dialled, name, rate } from '../trunks/schema-parts.ts';
import { trunkMedia } from '../trunks/trunk-media.ts';
import { credentials, host, place } from './gateway-schema.ts';

/** The form of a registration in sip-config/: where we are an extension, and who answers what comes in by it. */
export const account = z.strictObject({
  name,
  registrar: place,
  /** Everything is sent there, with a Route (outbound proxy). */
  proxy: place.optional(),
  /** Of the address of record: user@domain. */
  user: dialled,
  /** Default: the host of the registrar. */
  domain: host.optional(),
  displayName: z.string().max(128).optional(),
  auth: credentials.optional(),
  expiresSeconds: z.number().int().min(10).max(86_400).default(600),
  /** User part of our Contact, which calls come in for. Default: `user`. */
  contactUser: z
    .string()
    .regex(/^[A-Za-z0-9\-_.!~*'()+]{1,64}$/, "must be letters, digits or - _ . ! ~ * ' ( ) +")
    .optional(),
  /** Who answers. Default: as the numbers say, with the user of our Contact as the number and this name as the trunk. */
  bot: name.optional(),
  trustIdentity: z.boolean().default(false),
  media: trunkMedia.prefault({}),
  limits: z
    .strictObject({ calls: count.optional(), callsPerSecond: rate.optional(), burst: count.optional() })
    .default({}),
});

export type AccountEntry = z.output<typeof account>;

import { z } from 'zod';
import { MACHINE_MANNERS, NO_RETRY, RETRY_CAUSES } from '../../call/orders/order.ts';
import { DIGEST_ALGORITHMS } from '../../sip/auth/digest.ts';
import { account } from '../outbound/account-schema.ts';
import { gateway } from '../outbound/gateway-schema.ts';
import { parseBlocks } from './addresses.ts';
import { handover } from './handover-schema.ts';
import { isTimeZone, parseDays, parseSpans } from './hours.ts';
import { count, dialled, name, pattern, rate, reference } from './schema-parts.ts';
import { supervisors } from './supervisors-config.ts';
import { trunkMedia } from './trunk-media.ts';

/** The form of a file of sip-config/. Messages never repeat a value: it may be a secret in the wrong place. */

const text = z.string().min(1, 'must not be empty').max(2_000);
const texts = z.array(text).min(1).max(10);

const addresses = z.preprocess(
  (value) => (typeof value === 'string' ? [value] : value),
  z
    .array(
      z.string().transform((value, context) => {
        const blocks = parseBlocks(value);
        if (blocks) return blocks;
        context.addIssue(
          'must be an IP address, a block such as 192.0.2.0/24, or any, this-machine, loopback, private',
        );
        return z.NEVER;
      }),
    )
    .min(1)
    .transform((blocks) => blocks.flat()),
);

const hex = (digits: number) =>
  z.string().regex(new RegExp(`^[0-9a-fA-F]{${digits}}$`), `must be ${digits} hex digits`);

const user = z
  .strictObject({
    name: z.string().min(1).max(128),
    password: reference.optional(),
    passwordFile: z.string().min(1).optional(),
    /** H(name:realm:password), where not even a reference to the password is wanted. */
    secrets: z.strictObject({ 'SHA-256': hex(64).optional(), MD5: hex(32).optional() }).optional(),
  })
  .refine(
    (one) => [one.password, one.passwordFile, one.secrets].filter((given) => given !== undefined).length === 1,
    'needs one of password, passwordFile and secrets',
  );

const trunk = z
  .strictObject({
    name,
    from: addresses.optional(),
    digest: z
      .strictObject({
        users: z.array(user).min(1),
        algorithms: z
          .array(z.enum(DIGEST_ALGORITHMS))
          .min(1)
          .default([...DIGEST_ALGORITHMS]),
      })
      .optional(),
    certificate: z
      .strictObject({
        names: z.array(z.string().min(1).toLowerCase()).default([]),
        fingerprints: z
          .array(
            z
              .string()
              .transform((value) => value.replaceAll(':', '').toLowerCase())
              .pipe(hex(64)),
          )
          .default([]),
      })
      .refine((one) => one.names.length + one.fingerprints.length > 0, 'needs names or fingerprints')
      .optional(),
    /** Its calls come through this trunk, an edge of ours that names them in X-Trunk. */
    behind: name.optional(),
    /** Phones in browsers, let in by POST /api/v1/phone-sessions. */
    browser: z.boolean().default(false),
    trustIdentity: z.boolean().default(false),
    media: trunkMedia.prefault({}),
    limits: z
      .strictObject({ calls: count.optional(), callsPerSecond: rate.optional(), burst: count.optional() })
      .default({}),
  })
  .refine(
    (one) => one.browser || (one.from ?? one.digest ?? one.certificate ?? one.behind),
    'needs at least one of from, digest, certificate and behind',
  )
  .refine(
    (one) => !one.browser || (one.from ?? one.digest ?? one.certificate ?? one.behind) === undefined,
    'phones in browsers show credentials of their own: from, digest, certificate and behind do not go with browser',
  )
  .refine(
    (one) => one.behind === undefined || (one.from ?? one.digest ?? one.certificate) === undefined,
    'behind an edge the edge says whose call it is: from, digest and certificate do not go with behind',
  );

const withWords = text.refine(
  (prompt) => prompt.includes('{words}'),
  '{words} must stand where what was understood is said',
);

const prompts = z.strictObject({
  greeting: text.optional(),
  stillThere: texts.optional(),
  farewell: text.optional(),
  oneMoment: texts.optional(),
  goOn: text.optional(),
  backAgain: text.optional(),
  yesNoByKeys: text.optional(),
  numberByKeys: text.optional(),
  menu: text.optional(),
  menuChoice: text
    .refine((prompt) => /\{what\}.*\{key\}|\{key\}.*\{what\}/.test(prompt), '{what} and {key} must stand in it')
    .optional(),
  didYouSay: withWords.optional(),
  understood: withWords.optional(),
  misheard: text.optional(),
  cancelled: text.optional(),
  giveUp: text.optional(),
  apology: text.optional(),
  shutdown: text.optional(),
});

/** How a bot calls people; see BotProfile. */
const outbound = z
  .strictObject({
    rightParty: text.optional(),
    verify: z.boolean().default(false),
    purpose: text.optional(),
    wrongParty: text.default('I am sorry to have disturbed you. Goodbye.'),
    notVerified: text.default('I am sorry, without that I cannot tell you what this call is about. Goodbye.'),
    onMachine: z.enum(MACHINE_MANNERS).default('hang-up'),
    message: text.optional(),
    retry: z
      .strictObject({
        maxAttempts: z.number().int().min(1).max(10),
        afterMinutes: z.partialRecord(z.enum(RETRY_CAUSES), z.number().min(1).max(10_080)),
      })
      .default(NO_RETRY),
  })
  .refine((one) => one.onMachine !== 'leave-message' || one.message !== undefined, {
    message: 'leave-message needs a message',
    path: ['message'],
  });

const days = z.number().int().min(1).max(36_500);

/** Whether a bot's calls are recorded; see RecordingManner. */
const recording = z
  .strictObject({
    mode: z.enum(['on', 'off', 'after-consent']).default('on'),
    announcement: text.optional(),
    declineKey: z
      .string()
      .regex(/^[0-9*#]$/, 'must be one telephone key')
      .default('9'),
    declined: text.default('All right, this call is not recorded. How can I help you?'),
  })
  .refine((one) => one.mode !== 'after-consent' || one.announcement !== undefined, {
    message: 'after-consent needs an announcement',
    path: ['announcement'],
  });

const bot = z.strictObject({
  name,
  version: z.string().min(1).max(64).optional(),
  language: z.string().min(2).max(35).default('en'),
  voice: z.string().min(1).optional(),
  instructions: z.string().min(1).max(8_000).optional(),
  prompts: prompts.default({}),
  actions: z.union([z.literal('all'), z.array(z.string())]).default('all'),
  /** Says its greeting and ends the call. */
  announcementOnly: z.boolean().default(false),
  outbound: outbound.optional(),
  recording: recording.optional(),
  /** Days; what is left out is as in the settings (RECORDING_DAYS, CALL_DAYS). */
  retention: z.strictObject({ recordingDays: days.optional(), callDays: days.optional() }).optional(),
});

const refusal = z.strictObject({
  status: z
    .number()
    .int()
    .refine((status) => status >= 400 && status < 700, 'must be a final SIP status from 400 to 699'),
  retryAfterSeconds: count.optional(),
});

const rule = z
  .strictObject({
    number: dialled.optional(),
    prefix: dialled.optional(),
    pattern: pattern.optional(),
    any: z.literal(true).optional(),
    trunks: z.array(name).min(1).optional(),
    bot: name.optional(),
    refuse: refusal.optional(),
    hours: name.optional(),
    closed: z.union([z.strictObject({ bot: name }), refusal], 'must have bot, or status').optional(),
  })
  .refine(
    (one) => [one.number, one.prefix, one.pattern, one.any].filter((given) => given !== undefined).length === 1,
    'needs one of number, prefix, pattern and any',
  )
  .refine((one) => (one.bot === undefined) !== (one.refuse === undefined), 'needs a bot, or refuse')
  .refine((one) => (one.hours === undefined) === (one.closed === undefined), 'hours and closed go together');

const spans = z.string().transform((value, context) => {
  const parsed = parseSpans(value);
  if (parsed) return parsed;
  context.addIssue('must be times such as 08:00-12:30, 13:30-18:00, or closed');
  return z.NEVER;
});

const hours = z.strictObject({
  name,
  zone: z.string().refine(isTimeZone, 'must be a time zone such as Europe/Berlin'),
  week: z.record(
    z.string().refine((key) => parseDays(key) !== undefined, 'must be a day or days such as mon, mon-fri'),
    spans,
  ),
  days: z.record(z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date such as 2026-12-25'), spans).default({}),
});

const admission = z.strictObject({
  /** Of each source that is not named by a trunk's addresses. */
  source: z.strictObject({ requestsPerSecond: rate.default(10), burst: count.default(30) }).prefault({}),
  block: z
    .strictObject({ strikes: count.default(8), withinSeconds: rate.default(60), forSeconds: rate.default(600) })
    .prefault({}),
});

export const fileSchema = z.strictObject({
  realm: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'must be letters, digits, . _ -')
    .optional(),
  admission: admission.optional(),
  trunks: z.array(trunk).optional(),
  bots: z.array(bot).optional(),
  hours: z.array(hours).optional(),
  numbers: z.array(rule).optional(),
  gateways: z.array(gateway).optional(),
  handover: handover.optional(),
  supervisors: supervisors.optional(),
  registrations: z.array(account).optional(),
});

export const DEFAULT_ADMISSION = admission.parse({});

export type SipConfigFile = z.output<typeof fileSchema>;
export type TrunkEntry = z.output<typeof trunk>;
export type BotEntry = z.output<typeof bot>;
export type RuleEntry = z.output<typeof rule>;
export type HoursEntry = z.output<typeof hours>;
export type AdmissionLimits = z.output<typeof admission>;
export type RouteRefusal = z.output<typeof refusal>;

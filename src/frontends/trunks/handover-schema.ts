import { z } from 'zod';
import { HANDOVER_WAYS } from '../../call/handover/handover-status.ts';
import { count, dialled, name, reference } from './schema-parts.ts';

/** The form of `handover` in sip-config/: the people behind the bot, and how callers come to them. */

const seconds = (least: number, most: number) => z.number().min(least).max(most);
const text = z.string().min(1, 'must not be empty').max(500);
const key = z.string('must stand in quotes').regex(/^[0-9*#]$/, 'must be one key: 0-9, * or #');

const target = z.strictObject({
  name,
  /** A number, a sip:, sips: or tel: URI, or `phone:` and the name of a phone in a browser. */
  to: dialled,
  gateway: name.optional(),
  how: z.enum(HANDOVER_WAYS).default('auto'),
  ringSeconds: seconds(1, 300).default(25),
  calls: count.default(1),
});

const briefing = z
  .strictObject({
    spoken: z.boolean().default(true),
    acceptKey: key.default('1'),
    declineKey: key.default('2'),
    waitSeconds: seconds(1, 120).default(15),
    header: z.enum(['User-to-User', 'X-Call-Summary']).optional(),
    webhook: z.strictObject({ url: z.url({ protocol: /^https?$/ }), secret: reference }).optional(),
  })
  .refine((one) => one.acceptKey !== one.declineKey, 'acceptKey and declineKey must differ')
  .prefault({});

const prompts = z
  .strictObject({
    connecting: text,
    waiting: text,
    stillWaiting: text,
    closed: text,
    full: text,
    nobody: text,
    unknown: text,
    offerCallback: text,
    noCallback: text,
    backAgain: text,
    whatElse: text,
    briefing: text,
    acceptHint: text,
  })
  .partial()
  .default({});

const queue = z.strictObject({
  name,
  targets: z.array(target).min(1).max(100),
  places: z.number().int().min(1).max(1_000).default(20),
  maxWaitSeconds: seconds(0, 3_600).default(120),
  retrySeconds: seconds(1, 300).default(5),
  hours: name.optional(),
  announceSeconds: seconds(5, 600).optional(),
  sound: z.enum(['music', 'ringing']).default('music'),
  leaveKey: key.nullable().default('*'),
  /** So long may a person put a caller on hold, at a time. */
  maxHoldSeconds: seconds(1, 86_400).default(600),
  briefing,
  afterwards: z.enum(['end', 'bot']).default('end'),
  prompts,
});

export const handover = z.strictObject({
  /** Where callers go who ask the bot for a person; without it the bot hands nobody over by itself. */
  default: name.optional(),
  queues: z.array(queue).min(1).max(100),
});

export type HandoverEntry = z.output<typeof handover>;

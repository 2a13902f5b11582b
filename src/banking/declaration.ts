import { z } from 'zod';

/**
 * The form of an actions file. One declaration of an action serves the language model (name, description, parameters),
 * the recogniser's grammar and the scripted dialogue (examples), the policy (who must be verified, what is read back)
 * and the call of the bank. Described for integrators in docs/actions.md.
 */

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const words = z.string().trim().min(1);

/** Placeholders `{args.x}`, `{customer.x}`, `{caller.phone}`, and what was chosen, in path, query and body. */
const httpBinding = z.strictObject({
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  path: z.string().regex(/^\/[^?#\s]*$/, 'a path starts with "/" and has no query'),
  query: z.record(z.string(), scalar).default({}),
  body: z.record(z.string(), z.json()).optional(),
  /** The longest the caller waits for the bank, retries included, ms. */
  timeoutMs: z.number().int().min(50).max(60_000).optional(),
});

const condition = z.union([
  scalar,
  z.array(scalar).min(1),
  z.strictObject({ exists: z.boolean() }),
  z.strictObject({ not: z.union([scalar, z.array(scalar).min(1)]) }),
  z.strictObject({ atLeast: z.number() }),
  z.strictObject({ atMost: z.number() }),
]);

/** All of these must hold; the keys are paths into the data. */
const conditions = z.record(z.string(), condition);

const code = z.string().regex(/^[a-z][a-z0-9-]*$/, 'a code is kebab-case');

const outcome = z.strictObject({
  when: conditions.default({}),
  code: code.default('posted'),
  ok: z.boolean().default(true),
  say: words,
  /** `say` is read out word for word and to its end: a legal notice. */
  mustBeHeard: z.boolean().default(false),
});

/** A refusal of the bank (4xx), known by its RFC 9457 type, its status, or both. */
const problem = z
  .strictObject({
    type: z.string().optional(),
    status: z.number().int().min(400).max(499).optional(),
    code: code.default('declined'),
    ok: z.boolean().default(false),
    say: words,
  })
  .refine((value) => value.type !== undefined || value.status !== undefined, 'a problem needs a type or a status');

export type ResultField =
  | string
  | { from: string; values?: Record<string, string> | undefined; each?: Record<string, ResultField> | undefined };

const resultField: z.ZodType<ResultField> = z.lazy(() =>
  z.union([
    z.string().min(1),
    z.strictObject({
      from: z.string().min(1),
      values: z.record(z.string(), z.string()).optional(),
      each: z.record(z.string(), resultField).optional(),
    }),
  ]),
);

const parameters = z
  .looseObject({ type: z.literal('object'), properties: z.record(z.string(), z.looseObject({})).default({}) })
  .default({ type: 'object', properties: {} });

const confirmation = z.union([
  z.literal(false),
  z.strictObject({ prompt: words, reprompt: words.optional(), declined: words.optional() }),
]);

const policy = z.strictObject({
  verification: z.enum(['none', 'required']),
  /** `verify`: the action that does nothing but verify the customer. */
  effect: z.enum(['read', 'change', 'verify']),
  confirm: confirmation.optional(),
  /** Reads only: may it be fetched while it is not yet certain that the caller has finished? */
  ahead: z.boolean().default(true),
  /** Changes are refused while the ledger cannot be written; `spool` is for those that move nothing of value. */
  whenLedgerIsAway: z.enum(['refuse', 'spool']).default('refuse'),
});

/** Finds out which of several things is meant, such as a card: looks them up, narrows down, asks. */
const choice = z.strictObject({
  as: z.string().regex(/^[a-z][a-z0-9_]*$/),
  transactionType: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
  http: httpBinding,
  items: words,
  id: words,
  /** Item path -> condition; a value of the form `{args.x}` counts only when that argument was given. */
  where: conditions.default({}),
  prompt: words,
  reprompt: words.optional(),
  /** What the caller may say for an item; rendered with the item. */
  phrases: z.array(words).min(1),
  none: z.strictObject({ code: code.default('not-found'), say: words }),
});

const actionSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'a name is snake_case'),
  description: words,
  transactionType: z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'a transaction type is UPPER_CASE'),
  parameters,
  examples: z.array(words).min(1),
  /** Before "press one", where it is so noisy that callers choose by keys. */
  menu: words.optional(),
  policy,
  choose: choice.optional(),
  http: httpBinding.optional(),
  result: z.record(z.string().regex(/^[a-zA-Z_]\w*$/), resultField).default({}),
  outcomes: z.array(outcome).min(1),
  problems: z.array(problem).default([]),
});

/** Name -> path in the bank's answer. `id` is what the ledger knows the customer by. */
const customerFields = z
  .record(z.string(), words)
  .refine((fields) => fields.id !== undefined && fields.number !== undefined, 'a customer needs "id" and "number"');

const verificationSchema = z.strictObject({
  transactionType: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
  /** Wrong answers in one call after which nothing more is tried. */
  maxAttempts: z.number().int().min(1).max(10).default(3),
  /** Finds the customer by the caller's number. A hint: it spares the caller the customer number, never the PIN. */
  preselect: z
    .strictObject({ transactionType: z.string(), http: httpBinding, customers: words, customer: customerFields })
    .optional(),
  customerNumber: z.strictObject({
    length: z.number().int().min(1).max(32),
    /** Parameter of the verifying action in which the number may come along. */
    argument: z.string().optional(),
    prompt: words,
    reprompt: words,
    /** After a failed attempt. */
    again: words,
  }),
  pin: z.strictObject({
    length: z.number().int().min(1).max(32),
    prompt: words,
    /** When the caller's number has told who it probably is. */
    promptPreselected: words.optional(),
    reprompt: words,
  }),
  http: httpBinding,
  /** What the bank's answer must hold to count as verified. */
  accepted: conditions.default({}),
  customer: customerFields,
  problems: z
    .array(
      z
        .strictObject({
          type: z.string().optional(),
          status: z.number().int().min(400).max(499).optional(),
          means: z.enum(['wrong', 'locked']),
        })
        .refine(
          (value) => value.type !== undefined || value.status !== undefined,
          'a problem needs a type or a status',
        ),
    )
    .min(1),
  say: z.strictObject({ refused: words, locked: words, otherCustomer: words }),
});

/** What is said when things go as no action foresaw. */
const phrasesSchema = z
  .strictObject({
    done: words.default('That is done.'),
    cancelled: words.default('All right, I have left that.'),
    bankUnavailable: words.default(
      'I am sorry, I cannot reach the bank systems at the moment. Please try again in a few minutes.',
    ),
    bankRefused: words.default('I am sorry, the bank did not accept that request.'),
    unknownOutcome: words.default(
      'I am sorry, I did not get an answer from the bank, so I cannot tell you whether this was done. Please ask again in a few minutes, or speak to an agent.',
    ),
    ledgerUnavailable: words.default(
      'I am sorry, I cannot make changes at the moment, so nothing was done. An agent can help you with that.',
    ),
    invalidArguments: words.default('I am sorry, I cannot do that in this way.'),
  })
  .prefault({});

export const fileSchema = z.strictObject({
  version: z.literal(1),
  bank: z
    .strictObject({
      /** Answers when the bank's API is up; any status below 500 counts. */
      healthPath: z.string().startsWith('/').default('/health'),
      timeoutMs: z.number().int().min(50).max(60_000).default(8000),
    })
    .prefault({}),
  phrases: phrasesSchema,
  verification: verificationSchema.optional(),
  actions: z.array(actionSchema).min(1),
});

export type HttpBinding = z.infer<typeof httpBinding>;
export type Condition = z.infer<typeof condition>;
export type Conditions = z.infer<typeof conditions>;
export type ActionDeclaration = z.infer<typeof actionSchema>;
export type Choice = z.infer<typeof choice>;
export type VerificationDeclaration = z.infer<typeof verificationSchema>;
export type Phrases = z.infer<typeof phrasesSchema>;

/** Everything an actions file declares. */
export interface ActionCatalogue extends z.infer<typeof fileSchema> {
  /** The file, for messages. */
  source: string;
}

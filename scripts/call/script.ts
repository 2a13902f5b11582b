import { isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { Failure } from '../../src/core/errors.ts';
import { VOICES } from '../../tests/support/phone/voice.ts';

/** A conversation as its author writes it; docs/caller.md is its description. All times are in seconds. */

const seconds = z.number().min(0).max(600);

const pattern = z.string().transform((source, context) => {
  try {
    return new RegExp(source, 'is');
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'bad regular expression' });
    return z.NEVER;
  }
});

const say = z.union([
  z.string().min(1),
  z.strictObject({ text: z.string().min(1), reply: z.boolean().optional() }),
  z.strictObject({ wav: z.string().min(1), reply: z.boolean().optional() }),
]);

const digits = z.string().regex(/^[0-9*#A-D]+$/, 'keys are 0-9 * # A-D; write them in quotes');
const press = z.union([
  digits,
  z.strictObject({
    digits,
    key: seconds.optional(),
    gap: seconds.optional(),
    endPackets: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]).optional(),
  }),
]);

const transaction = z.strictObject({
  type: z.string(),
  outcome: z.string().optional(),
  authenticationStatus: z.string().optional(),
});

const expectation = z
  .strictObject({
    bot: pattern.optional(),
    caller: pattern.optional(),
    interrupted: z.boolean().optional(),
    transaction: transaction.optional(),
    hangup: z.literal(true).optional(),
    within: seconds.default(8),
  })
  .refine((value) => Object.keys(value).some((key) => key !== 'within'), 'nothing is expected');

/** `- wait` and `- hangup` stand for themselves; `- wait:` with nothing behind it likewise. */
const bare = (step: unknown): unknown => {
  if (typeof step === 'string') return { [step]: {} };
  if (step === null || typeof step !== 'object') return step;
  return Object.fromEntries(Object.entries(step).map(([key, value]) => [key, value === null ? {} : value]));
};

const KINDS = ['wait', 'say', 'press', 'interrupt', 'pause', 'expect', 'if', 'hold', 'resume', 'hangup'] as const;

const nothing = z.strictObject({});
const interrupt = z.union([z.string().min(1), z.strictObject({ say: z.string().min(1), after: seconds.default(1) })]);
const wait = z.strictObject({ silence: seconds.default(0.7), within: seconds.default(12) });

/** One step; exactly one of its keys is set. */
export interface Step {
  wait?: z.infer<typeof wait>;
  say?: z.infer<typeof say>;
  press?: z.infer<typeof press>;
  interrupt?: z.infer<typeof interrupt>;
  pause?: number;
  expect?: Expectation;
  if?: { bot: RegExp; within: number; do: Step[]; else: Step[] };
  hold?: object;
  resume?: object;
  hangup?: object;
}

const step: z.ZodType<Step> = z.preprocess(
  bare,
  z
    .strictObject({
      wait: wait.optional(),
      say: say.optional(),
      press: press.optional(),
      interrupt: interrupt.optional(),
      pause: seconds.optional(),
      expect: expectation.optional(),
      if: z
        .strictObject({
          bot: pattern,
          within: seconds.default(1),
          do: z.array(z.lazy(() => step)),
          else: z.array(z.lazy(() => step)).default([]),
        })
        .optional(),
      hold: nothing.optional(),
      resume: nothing.optional(),
      hangup: nothing.optional(),
    })
    .superRefine((value, context) => {
      const kinds = KINDS.filter((kind) => value[kind] !== undefined);
      if (kinds.length !== 1) context.addIssue({ code: 'custom', message: `one of ${KINDS.join(', ')} is needed` });
    }),
);

const script = z.strictObject({
  name: z.string().optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  voice: z.enum(VOICES).optional(),
  transport: z.enum(['udp', 'tcp']).optional(),
  steps: z.array(step).min(1),
});

export type Expectation = z.infer<typeof expectation>;
export type CallScript = z.infer<typeof script>;

/** Parses and checks a script. Throws Failure code bad-script whose message gives file, line and column of each fault. */
export function parseScript(text: string, file: string): CallScript {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const faults = document.errors.map((error) => `${at(error.pos[0])}: ${error.message.split('\n')[0]}`);
  if (faults.length > 0) throw badScript(faults);
  const parsed = script.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  throw badScript(
    parsed.error.issues.map((issue) => {
      const { path, message } = deepest(issue);
      return `${at(offsetOf(document, path))}: ${path.join('.') || 'script'}: ${message}`;
    }),
  );
}

type Issue = z.core.$ZodIssue;

/** Of a union's complaints, those of the alternative that went furthest say most. */
function deepest(issue: Issue): { path: PropertyKey[]; message: string } {
  let best: { path: PropertyKey[]; message: string } = { path: issue.path, message: issue.message };
  if (issue.code !== 'invalid_union') return best;
  for (const alternative of issue.errors) {
    for (const inner of alternative) {
      const found = deepest({ ...inner, path: [...issue.path, ...inner.path] });
      const better = found.path.length > best.path.length || inner.code === 'invalid_format';
      if (better || best.message === 'Invalid input') best = found;
    }
  }
  return best;
}

function offsetOf(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function badScript(faults: string[]): Failure {
  return new Failure(faults.join('\n'), { code: 'bad-script', blame: 'caller' });
}

/** Every line that will be said in words, so that it can be synthesized before the call. */
export function linesOf(steps: readonly Step[]): string[] {
  return steps.flatMap((one) => {
    if (typeof one.say === 'string') return [one.say];
    if (one.say !== undefined) return 'text' in one.say ? [one.say.text] : [];
    if (one.interrupt !== undefined) return [typeof one.interrupt === 'string' ? one.interrupt : one.interrupt.say];
    return one.if ? [...linesOf(one.if.do), ...linesOf(one.if.else)] : [];
  });
}

/** Does the script ask for anything that only the connector's API can tell? */
export function needsTranscript(steps: readonly Step[]): boolean {
  return steps.some((one) => {
    const { expect } = one;
    if (expect && (expect.bot || expect.caller || expect.transaction || expect.interrupted !== undefined)) return true;
    return one.if !== undefined;
  });
}

import { z } from 'zod';
import { SupervisorCodes } from '../../call/supervision/supervisor-codes.ts';
import type { Note } from './note.ts';
import type { NumberRule } from './routing.ts';
import { dialled, name, reference } from './schema-parts.ts';
import { type Environment, passwordOf } from './secrets.ts';

/** The form of `supervisors` in sip-config/: the number they dial, from where, and by which codes they are known. */
export const supervisors = z.strictObject({
  number: dialled,
  /** Without a trunk nobody gets there: a number that listens to calls is not for everybody. */
  trunks: z.array(name).min(1),
  codes: z
    .array(
      z
        .strictObject({ name, code: reference.optional(), codeFile: z.string().min(1).optional() })
        .refine((one) => (one.code === undefined) !== (one.codeFile === undefined), 'needs one of code and codeFile'),
    )
    .min(1)
    .max(1000),
});

export type SupervisorsEntry = z.output<typeof supervisors>;

export function compileSupervisors(
  { number, trunks, codes }: SupervisorsEntry,
  known: { trunks: ReadonlyMap<string, unknown>; folder: string; env: Environment },
  note: Note,
): { codes: SupervisorCodes; rule: NumberRule } {
  for (const [index, trunk] of trunks.entries()) {
    if (!known.trunks.has(trunk)) note(['trunks', index], `there is no trunk "${trunk}"`);
  }
  const seen = new Set<string>();
  const read = codes.flatMap(({ name, code: password, codeFile: passwordFile }, index) => {
    const key = passwordFile === undefined ? 'code' : 'codeFile';
    const problem = (message: string) => note(['codes', index, key], message);
    const code = passwordOf({ password, passwordFile }, known, (_key, message) => problem(message));
    if (code === undefined) return [];
    if (!/^[0-9]{6,16}$/.test(code)) problem('must lead to 6 to 16 digits');
    if (seen.has(code)) problem('is the code of another supervisor');
    seen.add(code);
    return [{ name, code }];
  });
  return {
    codes: new SupervisorCodes(read),
    rule: {
      match: { number },
      trunks: new Set(trunks),
      to: { supervisors: true },
      hours: undefined,
      closed: undefined,
    },
  };
}

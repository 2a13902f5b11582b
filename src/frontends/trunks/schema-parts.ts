import { z } from 'zod';

/** Forms that several sections of sip-config/ share. Messages never repeat a value: it may be a secret. */

export const name = z.string().regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'must be a name: letters, digits, . _ -');
export const count = z.number().int().min(1);
export const rate = z.number().positive();

/** `${NAME}`: the value of an environment variable. */
export const reference = z
  .string()
  .regex(/^\$\{[A-Za-z_]\w*\}$/, `must be a reference such as \${NAME}, so that no secret stands in this file`)
  .transform((value) => value.slice(2, -1));

/** As it is dialled; written as a number it would have lost its zeros and its plus already. */
export const dialled = z
  .string('must stand in quotes')
  .min(1, 'must not be empty')
  .max(128)
  .transform((value) => (/^\+?[0-9*#().\s-]+$/.test(value) ? value.replace(/[().\s-]/g, '') : value));

/** A regular expression for the whole of a number. */
export const pattern = z.string().transform((source, context) => {
  try {
    return new RegExp(`^(?:${source})$`);
  } catch {
    context.addIssue('is not a regular expression');
    return z.NEVER;
  }
});

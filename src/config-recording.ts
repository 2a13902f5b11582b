import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { asFailure } from './core/errors.ts';
import { type KeyRing, readKeyRing } from './media/recording/key-ring.ts';

/** How recordings are kept. */
export const RECORDING_VARIABLES = {
  RECORDING_KEY: z.string().default(''),
  RECORDING_FORMAT: z.enum(['wav', 'opus']).default('wav'),
  RECORDING_DAYS: z.coerce.number().int().min(0).max(36_500).default(0),
  CALL_DAYS: z.coerce.number().int().min(0).max(36_500).default(0),
  RECORDING_DELAY_SECONDS: z.coerce.number().int().min(0).max(60).default(6),
};

export type RecordingVariables = z.infer<z.ZodObject<typeof RECORDING_VARIABLES>>;

export interface RecordingSettings {
  /** Undefined: recordings are plain files. */
  readonly keys: KeyRing | undefined;
  readonly delaySeconds: number;
  /** What a recording is in the end; while the call lasts it is WAV. */
  readonly format: 'wav' | 'opus';
  /** Days that recordings and contents of calls are kept; undefined: for ever. */
  readonly retention: { recordingDays: number | undefined; callDays: number | undefined };
}

/** Files are relative to `directory`. What cannot be used is added to `complaints`. */
export function recordingSettings(
  v: RecordingVariables,
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
  complaints: string[],
): RecordingSettings {
  let keys: KeyRing | undefined;
  try {
    keys = readKeyRing(v.RECORDING_KEY, (kind, name) => {
      if (kind === 'file') return readFileSync(resolve(directory, name), 'utf8');
      const value = env[name];
      if (value === undefined) throw new Error(`there is no variable ${name}`);
      return value;
    });
  } catch (error) {
    complaints.push(asFailure(error).message);
  }
  const retention = { recordingDays: v.RECORDING_DAYS || undefined, callDays: v.CALL_DAYS || undefined };
  return { keys, delaySeconds: v.RECORDING_DELAY_SECONDS, format: v.RECORDING_FORMAT, retention };
}

import { existsSync } from 'node:fs';

/** The model for free speech, fetched by `npm test` itself. */
export const FREE_SPEECH_MODEL = 'dist/models/moonshine-tiny';

/** Where it could not be had, what needs it is left out, and setup has said so. */
export const hasFreeSpeechModel = existsSync(FREE_SPEECH_MODEL);

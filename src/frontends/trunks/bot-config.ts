import { createHash } from 'node:crypto';
import { BANK_PROFILE, type BotProfile } from '../../call/bot/bot-profile.ts';
import type { Note } from './note.ts';
import type { BotEntry } from './schema.ts';

/** What bots can be told to do and to speak. */
export interface Known {
  actions: readonly string[];
  voices: readonly string[];
  /** BCP 47 primary languages, e.g. en. */
  languages: readonly string[];
}

/** What an entry leaves out is as in the bank's bot. */
export function compileBot(entry: BotEntry, { actions, voices, languages }: Known, note: Note): BotProfile {
  if (entry.voice !== undefined && !voices.includes(entry.voice)) {
    note(['voice'], `is none of ${voices.join(', ')}`);
  }
  if (!languages.includes(entry.language.split('-')[0]!.toLowerCase())) {
    note(['language'], `the engines speak ${languages.join(', ')} only`);
  }
  if (entry.actions !== 'all') {
    for (const [index, action] of entry.actions.entries()) {
      if (!actions.includes(action)) note(['actions', index], `there is no action "${action}"`);
    }
  }
  const { version, instructions, prompts, outbound, ...rest } = entry;
  return {
    ...rest,
    outbound: outbound && {
      ...outbound,
      rightParty: outbound.rightParty,
      purpose: outbound.purpose,
      message: outbound.message,
    },
    voice: entry.voice,
    version: version ?? createHash('sha256').update(JSON.stringify(entry)).digest('hex').slice(0, 12),
    instructions: instructions ?? BANK_PROFILE.instructions,
    prompts: { ...BANK_PROFILE.prompts, ...prompts },
  };
}

import { seededRandom } from '../../../tests/support/phone/impairments.ts';
import type { Sources } from '../audio/studio.ts';
import { echo, load, odd, outcomes, type RoomDraft } from './conditions.ts';
import { describeCaller, describeRoom } from './people.ts';
import { backchannels, interruptions, latency, numbers, pauses, type Size } from './turn-taking.ts';
import type { Conversation, Section } from './types.ts';

const MAKERS: Record<Section, (size: Size) => RoomDraft[]> = {
  latency,
  pauses,
  numbers,
  backchannels,
  interruptions,
  echo,
  outcomes,
  odd,
  load,
};

export interface CorpusOptions {
  readonly quick: boolean;
  readonly seed: number;
  readonly sections: readonly Section[];
  readonly sources: Sources;
}

/** The conversations of these sections. The same options give the same corpus, and a section is the same whichever others are asked for. */
export function buildCorpus({ quick, seed, sections, sources }: CorpusOptions): Conversation[] {
  return sections.flatMap((section) => {
    const sectionSeed = hashOf(`${seed} ${section}`);
    const drafts = MAKERS[section]({ quick, sources, random: seededRandom(sectionSeed) });
    return drafts.map((draft, n): Conversation => {
      const room = draft.room ?? {};
      return {
        id: `${section}-${String(n + 1).padStart(2, '0')}`,
        section,
        from: draft.from,
        caller: draft.caller,
        room,
        tags: { ...describeCaller(draft.caller), ...describeRoom(room) },
        steps: draft.steps,
        baseline: draft.baseline ?? false,
        seed: (sectionSeed + n) >>> 0,
      };
    });
  });
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

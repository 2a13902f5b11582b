import { levelled } from '../audio/levels.ts';
import type { JoinedSpeech } from '../audio/pauses.ts';
import type { Studio } from '../audio/studio.ts';
import { spoken } from '../corpus/people.ts';
import type { Conversation, NamedSound, Piece, Step } from '../corpus/types.ts';

/** A step with all its audio made: nothing is synthesized during a call. */
export interface PreparedStep {
  readonly step: Step;
  readonly speech?: JoinedSpeech;
  readonly ask?: Int16Array;
  /** The PIN as it is spoken. */
  readonly pin?: Int16Array;
  /** Answers to whether the caller meant this. */
  readonly yes?: Int16Array;
  readonly no?: Int16Array;
  readonly sounds?: readonly (NamedSound & { readonly pcm: Int16Array })[];
}

export async function prepareSteps(conversation: Conversation, studio: Studio): Promise<PreparedStep[]> {
  const { caller } = conversation;
  const speech = async (pieces: readonly Piece[], dbfs?: number): Promise<JoinedSpeech> => {
    const joined = await studio.speech(caller, pieces);
    return dbfs === undefined ? joined : { ...joined, pcm: levelled(joined.pcm, dbfs) };
  };
  const words = async (text: string) => (await studio.speech(caller, [text])).pcm;
  const answers = async (asked: boolean) => (asked ? { yes: await words('yes'), no: await words('no') } : {});
  const prepared: PreparedStep[] = [];
  for (const step of conversation.steps) {
    switch (step.do) {
      case 'say':
        prepared.push({
          step,
          speech: await speech(step.pieces, step.dbfs),
          ...(await answers(step.credentials !== undefined)),
        });
        break;
      case 'identify': {
        const pin = step.spokenPin ? await words(spoken(caller, step.pin)) : undefined;
        prepared.push({ step, ask: await words(step.request), pin, ...(await answers(true)) });
        break;
      }
      case 'say-and-press':
        prepared.push({ step, speech: await speech([step.words]) });
        break;
      case 'interrupt':
        prepared.push({
          step,
          ask: await words(step.ask),
          speech: await speech(step.pieces, step.dbfs),
          ...(await answers(step.credentials !== undefined)),
        });
        break;
      case 'hear-out':
        prepared.push({ step, ask: await words(step.ask) });
        break;
      case 'backchannels': {
        const sounds = [];
        for (const each of step.sounds) sounds.push({ ...each, pcm: await studio.sound(caller, each.sound) });
        prepared.push({ step, ask: await words(step.ask), sounds });
        break;
      }
      default:
        prepared.push({ step });
    }
  }
  return prepared;
}

/** What was said, as a person would write it down: pauses as dots. */
export function written(pieces: readonly Piece[]): string {
  return pieces.map((piece) => (typeof piece === 'number' ? `…${piece} ms…` : piece)).join(' ');
}

export { requestGrammar, requestSentences } from './grammar.ts';
export { requestsIn } from './request-reader.ts';
export { ScriptedDialogue, type ScriptedDialogueOptions } from './scripted-dialogue.ts';
export { commonSentences } from './small-talk.ts';

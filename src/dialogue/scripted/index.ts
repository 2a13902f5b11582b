export { requestGrammar } from './grammar.ts';
export { ScriptedDialogue, type ScriptedDialogueOptions } from './scripted-dialogue.ts';
export { commonSentences } from './small-talk.ts';

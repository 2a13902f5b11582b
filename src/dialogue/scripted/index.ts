export { counterQuestions, requestGrammar } from './grammar.ts';
export { askedIn, requestsIn } from './request-reader.ts';
export { ScriptedDialogue, type ScriptedDialogueOptions } from './scripted-dialogue.ts';
export { commonSentences } from './small-talk.ts';

import type { Action } from '../../dialogue/questions/action-desk.ts';
import { COMMANDS } from '../../dialogue/questions/answers.ts';
import { counterQuestions, requestGrammar } from '../../dialogue/requests/grammar.ts';
import { mayHaveBeen } from '../../dialogue/requests/may-have-been.ts';
import type { Expectation } from '../../dialogue/speaking/voice.ts';
import { compileGrammar } from '../../sentences/grammar.ts';
import type { SpeechHints } from '../../speech/ports.ts';

const COMMAND_SENTENCES = COMMANDS.map(({ templates }) => ({ templates }));

/** Turns what the dialogue expects into a grammar for the recogniser; each grammar is compiled once. */
export function hintsFrom(actions: readonly Action[]): (expectation: Expectation) => SpeechHints {
  const compiled = new Map<string, { key: string; jsgf: string }>();
  const likely = (guess: string, otherwise: string) => mayHaveBeen(guess, otherwise, actions);
  return (expectation) => {
    const name = JSON.stringify(expectation);
    let grammar = compiled.get(name);
    if (!grammar) {
      grammar = compile(expectation, actions);
      compiled.set(name, grammar);
    }
    return {
      key: grammar.key,
      jsgf: grammar.jsgf,
      secret: expectation.kind !== 'request' && expectation.secret,
      ...(expectation.kind === 'request' && { mayHaveBeen: likely }),
    };
  };
}

/** For a caller who speaks to somebody else: what the bot is asked for, which is only taken down. */
export function overheardHints(hintsFor: (expectation: Expectation) => SpeechHints): SpeechHints {
  return { ...hintsFor({ kind: 'request' }), unhurried: true };
}

/** For a person who speaks with callers: what callers say too, and `words`, which mean something. */
export function personHints(actions: readonly Action[], words: string): SpeechHints {
  const { key, jsgf } = requestGrammar(actions, words === '' ? [] : [words]);
  return { key, jsgf, secret: false, unhurried: true };
}

function compile(expectation: Expectation, actions: readonly Action[]): { key: string; jsgf: string } {
  // Whoever is asked something may ask for something else instead.
  // Whoever is not the customer this telephone belongs to gives another number in place of the PIN.
  const secret = expectation.kind === 'digits' && expectation.secret;
  const sentences = [...COMMAND_SENTENCES, ...counterQuestions(actions, secret)];
  switch (expectation.kind) {
    case 'request':
      return requestGrammar(actions);
    case 'digits':
      return compileGrammar({
        digits: expectation.length,
        pieces: { missing: expectation.missing },
        sentences,
        fillers: 'turning',
      });
    case 'yes-no':
      return compileGrammar({ yesNo: true, sentences, fillers: 'turning' });
    case 'choice':
      return compileGrammar({
        choice: {
          kind: 'choice',
          options: expectation.options.map((o) => ({ value: o.value, phrases: [...o.phrases] })),
        },
        sentences,
        fillers: 'turning',
      });
  }
}

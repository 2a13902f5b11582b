import type { Decoder, SoundSwallowerModule } from 'soundswallower';
import { Failure } from '../../core/errors.ts';
import { withText } from './engine-text.ts';
import { GARBAGE_SHARE, GARBAGE_WORDS } from './garbage.ts';
import type { WordGraph } from './word-graph.ts';

/**
 * Puts a word graph into the engine, with a branch beside it that matches any speech, phone by phone: the sentences win
 * where they fit, because a phone out of 39 costs more than the next phone of a word; where they do not, garbage wins.
 * Not by way of JSGF: that can share no state between two sentences. Throws Failure bad-grammar.
 */
export function loadGraph(engine: SoundSwallowerModule, decoder: Decoder, name: string, graph: WordGraph): void {
  const { cdecoder } = decoder;
  const logmath = engine._decoder_logmath(cdecoder);
  const log = (share: number) => engine._logmath_log(logmath, share);
  const garbage = graph.length;
  const final = graph.length + 1;
  const fsg = withText(engine, name, (text) => engine._fsg_model_init(text, logmath, 1, graph.length + 2));
  const numbers = new Map<string, number>();
  const arc = (from: number, to: number, share: number, word: string) => {
    let number = numbers.get(word);
    if (number === undefined) {
      number = withText(engine, word, (text) => engine._fsg_model_word_add(fsg, text));
      numbers.set(word, number);
    }
    engine._fsg_model_trans_add(fsg, from, to, log(share), number);
  };
  graph.forEach(({ arcs, stop }, state) => {
    const inside = state === 0 ? 1 - GARBAGE_SHARE : 1;
    for (const { word, to, share } of arcs) arc(state, to, inside * share, word);
    if (stop > 0) engine._fsg_model_null_trans_add(fsg, state, final, log(inside * stop));
  });
  for (const [word] of GARBAGE_WORDS) {
    arc(0, garbage, GARBAGE_SHARE / GARBAGE_WORDS.length, word);
    arc(garbage, garbage, 0.5 / GARBAGE_WORDS.length, word);
  }
  engine._fsg_model_null_trans_add(fsg, garbage, final, log(0.5));
  engine._fsg_set_states(fsg, 0, final);
  if (engine._decoder_set_fsg(cdecoder, fsg) < 0) {
    throw new Failure(`speech grammar ${name} is refused by the engine`, { code: 'bad-grammar', blame: 'us' });
  }
}

import type { Decoder, SoundSwallowerModule } from 'soundswallower';
import { Failure } from '../../core/errors.ts';
import { GARBAGE_SHARE, GARBAGE_WORDS } from './garbage.ts';
import type { WordGraph } from './word-graph.ts';

/** What soundswallower's module exports besides what its types tell: the C functions by which its own JSGF reader works. */
interface GrammarFunctions {
  _decoder_logmath(decoder: number): number;
  _logmath_log(logmath: number, value: number): number;
  /** Name (C string), log arithmetic, language weight, number of states. */
  _fsg_model_init(name: number, logmath: number, weight: number, states: number): number;
  /** Returns the word's number; a word known already gets the same. */
  _fsg_model_word_add(fsg: number, word: number): number;
  _fsg_model_trans_add(fsg: number, from: number, to: number, logShare: number, word: number): void;
  _fsg_model_null_trans_add(fsg: number, from: number, to: number, logShare: number): number;
  _fsg_set_states(fsg: number, start: number, final: number): void;
  /** Takes the model over; negative when a word is not in the dictionary. */
  _decoder_set_fsg(decoder: number, fsg: number): number;
}

/**
 * Puts a word graph into the engine, with a branch beside it that matches any speech, phone by phone: the sentences win
 * where they fit, because a phone out of 39 costs more than the next phone of a word; where they do not, garbage wins.
 * Not by way of JSGF: that can share no state between two sentences. Throws Failure bad-grammar.
 */
export function loadGraph(module: SoundSwallowerModule, decoder: Decoder, name: string, graph: WordGraph): void {
  const engine = module as unknown as SoundSwallowerModule & GrammarFunctions;
  const { cdecoder } = decoder as unknown as { cdecoder: number };
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

function withText<T>(module: SoundSwallowerModule, text: string, use: (address: number) => T): T {
  const bytes = new TextEncoder().encode(text);
  const address = module._malloc(bytes.length + 1);
  module.HEAPU8.set(bytes, address);
  module.HEAPU8[address + bytes.length] = 0;
  try {
    return use(address);
  } finally {
    module._free(address);
  }
}

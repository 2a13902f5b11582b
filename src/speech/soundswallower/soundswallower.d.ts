import 'soundswallower';

/** What soundswallower 0.6's module has besides what its own types tell: its C functions, and what its classes keep. */
declare module 'soundswallower' {
  interface SoundSwallowerModule {
    /** Memory and function table among them; their names are those that the linker gave. */
    readonly asm?: WebAssembly.Exports;
    _s3file_init(bytes: number, length: number): number;
    _s3file_free(file: number): void;
    /** Negative when it fails; the engine then uses this model. */
    _load_gmm(decoder: number, means: number, variances: number, weights: number, mixtures: number): number;
    /** Word and phones (C strings), and whether the dictionary is to be looked at again. The word's number; negative when it fails. */
    _decoder_add_word(decoder: number, word: number, phones: number, update: boolean): number;
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

  interface Decoder {
    /** Address of the C decoder. */
    readonly cdecoder: number;
    /** Address of its acmod_t. */
    readonly cacmod: number;
    /** The step of the start in which the acoustic model is read. */
    load_gmm: () => Promise<void>;
  }
}

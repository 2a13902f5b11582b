import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import soundswallower from 'soundswallower';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadActions } from '../../src/banking/load-actions.ts';
import { actionsOf } from '../../src/banking/view.ts';
import { hintsFrom } from '../../src/call/bot/hints.ts';
import { Failure } from '../../src/core/errors.ts';
import { requestGrammar } from '../../src/dialogue/requests/grammar.ts';
import { commonSentences } from '../../src/dialogue/requests/small-talk.ts';
import type { Expectation } from '../../src/dialogue/speaking/voice.ts';
import { sentencesOf } from '../../src/sentences/expand.ts';
import { compileGrammar, type GrammarSpec } from '../../src/sentences/grammar.ts';
import type { Slot } from '../../src/sentences/slots.ts';
import { parseTemplate } from '../../src/sentences/template.ts';
import { NO_PHRASES, YES_PHRASES } from '../../src/sentences/yes-no.ts';
import { parseJsgf } from '../../src/speech/soundswallower/jsgf.ts';
import { accepts as graphAccepts, wordGraph } from '../../src/speech/soundswallower/word-graph.ts';
import { acceptorOf } from './jsgf.ts';
import { randomTemplate } from './random-template.ts';
import { spokenForms } from './spoken-forms.ts';

const KIND: Slot = {
  kind: 'choice',
  options: [
    { value: 'debit', phrases: ['debit'] },
    { value: 'credit', phrases: ['credit'] },
  ],
};

const accepts = (spec: GrammarSpec) => acceptorOf(compileGrammar(spec).jsgf);

describe('a recogniser grammar', () => {
  it('accepts the sentences of its templates and nothing else', () => {
    fc.assert(
      fc.property(randomTemplate, fc.nat(), fc.nat(), ({ source, slots }, one, other) => {
        const sentences = new Set<string>();
        for (const { text } of sentencesOf(parseTemplate(source), slots)) if (sentences.add(text).size > 60) return;
        const accepted = accepts({ sentences: [{ templates: [source], slots }] });
        const numbers = Object.values(slots).some((slot) => slot.kind !== 'choice');
        for (const sentence of sentences) {
          expect([source, sentence, accepted(sentence)]).toEqual([source, sentence, true]);
          // A slot of numbers holds more than the samples: there a changed sentence may be right as well.
          if (numbers) continue;
          for (const changed of changesOf(sentence.split(' '), one, other)) {
            expect([source, changed, accepted(changed)]).toEqual([source, changed, sentences.has(changed)]);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it.each([4, 6])('accepts any %i digits however they are spoken, and no other count', (length) => {
    const accepted = accepts({ digits: length });
    fc.assert(
      fc.property(fc.stringMatching(new RegExp(`^[0-9]{${length}}$`)), fc.array(fc.nat(9)), (digits, choices) => {
        for (const spoken of spokenForms(digits, choices)) {
          expect([spoken, accepted(spoken)]).toEqual([spoken, true]);
          expect(accepted(`${spoken} zero`)).toBe(false);
        }
        const short = spokenForms(digits.slice(1), choices)[0]!;
        expect([short, accepted(short)]).toEqual([short, false]);
      }),
    );
  });

  it.each([4, 6, 16])(
    'takes the beginning of %i digits too, but not all but one, and then the rest or all of them again',
    (length) => {
      const first = accepts({ digits: length, pieces: {} });
      const half = Math.ceil(length / 2);
      const missing = length - half;
      const second = accepts({ digits: length, pieces: { missing } });
      fc.assert(
        fc.property(fc.stringMatching(new RegExp(`^[0-9]{${length}}$`)), (digits) => {
          const spoken = (some: string) => spokenForms(some, [])[0]!;
          const taken = (accepted: (said: string) => boolean, some: string) => [some, accepted(spoken(some))];
          for (const some of [digits, digits.slice(0, half)]) expect(taken(first, some)).toEqual([some, true]);
          for (const some of [digits, digits.slice(half)]) expect(taken(second, some)).toEqual([some, true]);
          for (const some of [digits.slice(0, half - 1), digits.slice(1)])
            expect(taken(first, some)).toEqual([some, false]);
        }),
        { numRuns: 30 },
      );
    },
  );

  it('stays small for long numbers', () => {
    expect(compileGrammar({ digits: 19 }).jsgf.length).toBeLessThan(4000);
    expect(
      accepts({ digits: 16 })('four four four four double five five five one two three four nine eight seven six'),
    ).toBe(true);
  });

  it('lets sentences that end in digits share them, and loses none of the sentences', () => {
    const templates = ['my number is {n}', '[the] number [is] {n}', '[it is] {n}', '{n}', '{n} is my number'];
    const grammar = compileGrammar({ sentences: [{ templates, slots: { n: { kind: 'digits', length: 4 } } }] });
    const accepted = acceptorOf(grammar.jsgf);
    for (const start of ['my number is', 'the number', 'number is', 'it is']) {
      expect([start, accepted(`${start} double four one oh`)]).toEqual([start, true]);
      expect([start, accepted(start)]).toEqual([start, false]);
    }
    expect(accepted('one two three four')).toBe(true);
    expect(accepted('one two three four is my number')).toBe(true);
    expect(grammar.jsgf.match(/<digits4>/g)).toHaveLength(1 + 3);
  });

  it('offers every number of a range, once each', () => {
    const accepted = accepts({
      sentences: [{ templates: ['my last {n} payments'], slots: { n: { kind: 'number', min: 1, max: 120 } } }],
    });
    expect(accepted('my last five payments')).toBe(true);
    expect(accepted('my last one hundred twenty payments')).toBe(true);
    expect(accepted('my last one hundred twenty one payments')).toBe(false);
    expect(accepted('my last zero payments')).toBe(false);
  });

  it('keeps slots of one name apart when different actions use it differently', () => {
    const choice = (word: string) => ({ kind: 'choice' as const, options: [{ value: word, phrases: [word] }] });
    const accepted = accepts({
      sentences: [
        { templates: ['block {kind}'], slots: { kind: choice('visa') } },
        { templates: ['order {kind}'], slots: { kind: choice('checks') } },
      ],
    });
    expect([accepted('block visa'), accepted('order checks'), accepted('block checks')]).toEqual([true, true, false]);
  });

  it('accepts yes and no in many words, and choices with words around', () => {
    const answer = accepts({ yesNo: true });
    for (const said of ['yes', 'yes please', "that's right", 'go ahead', 'no', 'no thanks', "don't", 'cancel']) {
      expect([said, answer(said)]).toEqual([said, true]);
    }
    const choice = accepts({
      choice: { kind: 'choice', options: [{ value: 'credit', phrases: ['credit card', 'credit'] }] },
    });
    for (const said of ['credit', 'the credit card', 'the credit one please']) expect(choice(said)).toBe(true);
  });

  it('lets fillers stand around requests when asked to', () => {
    const templates = ['where is my card'];
    const said = 'could you tell me where is my card please';
    expect(accepts({ sentences: [{ templates }], fillers: 'all' })(said)).toBe(true);
    expect(accepts({ sentences: [{ templates }] })(said)).toBe(false);
  });

  it('has the same key for the same content and another for other content', () => {
    const spec: GrammarSpec = { sentences: [{ templates: ['a [b]'] }], yesNo: true };
    expect(compileGrammar(spec)).toEqual(compileGrammar(structuredClone(spec)));
    expect(compileGrammar({ ...spec, yesNo: false }).key).not.toBe(compileGrammar(spec).key);
  });

  it('refuses what cannot be listened for', () => {
    expect(() => compileGrammar({})).toThrow(Failure);
    expect(() => compileGrammar({ digits: 0 })).toThrow(Failure);
    expect(() => compileGrammar({ sentences: [{ templates: ['my {thing}'] }] })).toThrow('{thing}');
    const slots = { n: { kind: 'number' as const, min: 0, max: 1e9 } };
    expect(() => compileGrammar({ sentences: [{ templates: ['pay {n}'], slots }] })).toThrow('{n}');
  });
});

describe('in the recogniser that comes in the box', () => {
  let decoder: InstanceType<Awaited<ReturnType<typeof soundswallower>>['Decoder']>;
  beforeAll(async () => {
    // The package's types do not know this option of its own.
    const options: object = { modelBase: fileURLToPath(new URL('model/', import.meta.resolve('soundswallower'))) };
    const module = await soundswallower(options);
    decoder = new module.Decoder({ loglevel: 'FATAL', samprate: 8000 });
    await decoder.initialize();
    return () => decoder.delete();
  });

  const grammars: [string, { jsgf: string; words: string[] }][] = [
    [
      'an open request',
      requestGrammar([{ name: 'block_card', description: 'x', parameters: {}, examples: ['block my card'] }]),
    ],
    ['small talk', compileGrammar({ sentences: commonSentences })],
    ['a customer number', compileGrammar({ digits: 6 })],
    ['a PIN', compileGrammar({ digits: 4 })],
    ['a card number', compileGrammar({ digits: 16 })],
    ['yes or no', compileGrammar({ yesNo: true })],
  ];

  it.each(grammars)('%s uses only words of the dictionary, and the grammar loads', (_name, { jsgf, words }) => {
    expect(words.filter((word) => !decoder.lookup_word(word))).toEqual([]);
    expect(() => decoder.set_grammar(jsgf)).not.toThrow();
  });

  it('knows the words for yes and no', () => {
    const words = [...YES_PHRASES, ...NO_PHRASES].flatMap((phrase) => phrase.split(' '));
    expect(words.filter((word) => !decoder.lookup_word(word))).toEqual([]);
  });
});

/** Sentences that differ a little: a word less, a word twice, two words swapped, a foreign word. */
function changesOf(words: readonly string[], one: number, other: number): string[] {
  const [a, b] = [one % words.length, other % words.length];
  const swapped = [...words];
  [swapped[a], swapped[b]] = [swapped[b]!, swapped[a]!];
  return [
    words.filter((_, at) => at !== a),
    words.flatMap((word, at) => (at === a ? [word, word] : [word])),
    swapped,
    [...words, 'zebra'],
  ].map((changed) => changed.join(' '));
}

describe('a grammar for several requests in one breath', () => {
  const accepted = accepts({
    sentences: [
      { templates: ['what is my balance', 'my balance'], joins: true },
      { templates: ['block my {kind} card'], slots: { kind: KIND }, joins: true },
      { templates: ['thank you'] },
    ],
    fillers: 'turning',
  });

  it.each([
    'what is my balance',
    'block my debit card and what is my balance',
    'block my debit card and then block my credit card and my balance please',
    'my balance no block my debit card',
    'no wait what is my balance',
    'thank you',
  ])('takes %j', (said) => {
    expect(accepted(said)).toBe(true);
  });

  it.each(['what is my balance and', 'and what is my balance', 'my balance and thank you', 'my balance my balance'])(
    'does not take %j',
    (said) => {
      expect(accepted(said)).toBe(false);
    },
  );

  it('is no larger for it than by its links', () => {
    const spec = { templates: ['what is my balance', 'how much money do i have in my account'] };
    const alone = compileGrammar({ sentences: [spec] }).jsgf.length;
    expect(compileGrammar({ sentences: [{ ...spec, joins: true }] }).jsgf.length).toBeLessThan(alone + 300);
  });
});

describe('every grammar of a call', () => {
  const grammarOf = hintsFrom(actionsOf(loadActions('src/banking/actions/demo-bank.yaml')));

  it.each([
    [{ kind: 'request' }, 'block my debit card and tell me my balance no my last transactions'],
    [{ kind: 'digits', length: 4, secret: true }, 'where is my card and what is my balance'],
    [{ kind: 'digits', length: 6, secret: false }, 'what is my balance'],
    [{ kind: 'yes-no', secret: false }, 'yes and what is my balance'],
    [{ kind: 'choice', secret: false, options: [{ value: '1', phrases: ['debit'] }] }, 'no wait what is my balance'],
  ] as [Expectation, string][])('%j is one that the recogniser in the box takes', (expectation, said) => {
    const graph = wordGraph(parseJsgf(grammarOf(expectation).jsgf));
    expect(graphAccepts(graph, said.split(' '))).toBe(true);
  });
});

describe('the grammar of a question', () => {
  const actions = actionsOf(loadActions('src/banking/actions/demo-bank.yaml'));
  const grammarOf = hintsFrom(actions);
  const pin = acceptorOf(grammarOf({ kind: 'digits', length: 4, secret: true }).jsgf);
  const confirm = acceptorOf(grammarOf({ kind: 'yes-no', secret: false }).jsgf);

  it('holds the answer and what callers ask for instead', () => {
    for (const said of [
      'two five eight zero',
      'what is my balance',
      'one moment please',
      'what can you do',
      'never mind',
    ])
      expect([said, pin(said)]).toEqual([said, true]);
    expect(pin('my customer number is eight three zero four six five')).toBe(true);
    for (const said of [
      'yes',
      'no',
      'yes and what is my balance',
      'no wait what is my balance',
      'where is my card first',
    ])
      expect([said, confirm(said)]).toEqual([said, true]);
    expect(pin('yes')).toBe(false);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsgf } from '../../src/speech/soundswallower/jsgf.ts';
import { accepts, wordGraph } from '../../src/speech/soundswallower/word-graph.ts';

const grammar = (body: string) => wordGraph(parseJsgf(`#JSGF V1.0;\ngrammar g;\n${body}`));
const says = (body: string, sentence: string) => accepts(grammar(body), sentence === '' ? [] : sentence.split(' '));

describe('a speech grammar', () => {
  it('knows which sentences are whole', () => {
    const cards =
      'public <s> = where is my [ new ] ( credit | debit ) card [ <tail> ]; <tail> = /0.5/ please | /0.5/ now;';
    expect(says(cards, 'where is my credit card')).toBe(true);
    expect(says(cards, 'where is my new debit card please')).toBe(true);
    expect(says(cards, 'where is my new')).toBe(false);
    expect(says(cards, 'where is my card')).toBe(false);
    expect(says(cards, 'where is my credit card please now')).toBe(false);
    expect(says(cards, '')).toBe(false);
  });

  it('repeats with star and plus, and reads comments, tags, quotes and <NULL>', () => {
    const g = 'public <s> = /* digits */ <d>+ {number} "thank you"* ( <NULL> | now ); // end\n<d> = one | two;';
    expect(says(g, 'one')).toBe(true);
    expect(says(g, 'one two two thank you thank you now')).toBe(true);
    expect(says(g, 'thank you')).toBe(false);
    expect(says(g, 'one thank')).toBe(false);
  });

  it('goes on with a rule that ends in itself', () => {
    const g = 'public <s> = [ um ] <request>; <request> = ( balance | card ) [ /0.1/ ( and | then ) <request> ];';
    expect(says(g, 'balance')).toBe(true);
    expect(says(g, 'um card and balance then card')).toBe(true);
    expect(says(g, 'balance and')).toBe(false);
    expect(says(g, 'balance card')).toBe(false);
    expect(says(g, 'balance and um card')).toBe(false);
  });

  it.each([
    ['public <s> = a', '";" was expected'],
    ['public <s> = ( a ;', '")" was expected'],
    ['public <s> = <gone>;', 'no rule <gone>'],
    ['<s> = a;', 'no public rule'],
    ['public <a> = a; public <b> = b;', 'more than one public rule'],
    ['public <s> = a; <s> = b;', 'there twice'],
    ['public <s> = *;', 'not expected here'],
    ['public <s> = <t> more; <t> = again | <s>;', '<s> contains itself'],
    ['public <s> = ( a <s> )+ | b;', '<s> contains itself'],
  ])('refuses %s', (body, reason) => {
    expect(() => grammar(body)).toThrow(reason);
  });

  it('accepts every sentence it can produce, and none with a word more', () => {
    const tree: fc.Arbitrary<{ jsgf: string; said: string[] }> = fc.letrec((tie) => ({
      word: fc.constantFrom('a', 'b', 'c', 'd').map((word) => ({ jsgf: word, said: [word] })),
      node: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        tie('word'),
        fc.tuple(tie('node'), tie('node')).map(([x, y]) => join(x, y, ' ', (p, q) => [...p, ...q])),
        fc
          .tuple(tie('node'), tie('node'), fc.boolean())
          .map(([x, y, first]) => join(x, y, ' | ', (p, q) => (first ? p : q))),
        fc.tuple(tie('node'), fc.boolean()).map(([x, said]) => {
          const { jsgf, said: words } = x as { jsgf: string; said: string[] };
          return { jsgf: `[ ${jsgf} ]`, said: said ? words : [] };
        }),
        fc.tuple(tie('node'), fc.integer({ min: 1, max: 3 })).map(([x, times]) => {
          const { jsgf, said } = x as { jsgf: string; said: string[] };
          return { jsgf: `( ${jsgf} )+`, said: Array.from({ length: times }, () => said).flat() };
        }),
      ),
    })).node as fc.Arbitrary<{ jsgf: string; said: string[] }>;
    fc.assert(
      fc.property(tree, ({ jsgf, said }) => {
        const g = grammar(`public <s> = ${jsgf};`);
        return accepts(g, said) && !accepts(g, [...said, 'never']);
      }),
    );
  });
});

function join(x: unknown, y: unknown, between: string, say: (p: string[], q: string[]) => string[]) {
  const [p, q] = [x, y] as { jsgf: string; said: string[] }[];
  return { jsgf: `( ${p!.jsgf}${between}${q!.jsgf} )`, said: say(p!.said, q!.said) };
}

describe('the graph of a speech grammar', () => {
  it('has the common beginning and end of its sentences once', () => {
    const g = grammar('public <s> = where is my card please | where is my account please | what is my account please;');
    // where is my, what is my, both before (card | account), then please: unmerged it would be fifteen
    expect(g.length).toBe(9);
    expect(g[0]!.arcs.map(({ word }) => word).sort()).toEqual(['what', 'where']);
  });

  it('gives each continuation the likelihood of all the sentences that go on so', () => {
    const g = grammar('public <s> = /1/ where is my card | /1/ where is my account | /2/ what is that;');
    expect(g[0]!.arcs.map(({ word, share }) => [word, share])).toEqual([
      ['where', 0.5],
      ['what', 0.5],
    ]);
    const optional = grammar('public <s> = hello [ /0.25/ there ];');
    const behind = optional[optional[0]!.arcs[0]!.to]!;
    expect(behind.arcs[0]!.share).toBeCloseTo(0.2);
    expect(behind.stop).toBeCloseTo(0.8);
  });

  it('loses and gains no likelihood in any state', () => {
    const g = grammar('public <s> = [ /0.2/ um ] ( a [ b ] c* | /3/ a c <d>+ | d ); <d> = d | /2/ e f;');
    for (const { arcs, stop } of g) {
      expect(arcs.reduce((sum, { share }) => sum + share, stop)).toBeCloseTo(1);
      expect(new Set(arcs.map(({ word }) => word)).size).toBe(arcs.length);
    }
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accepts, parseJsgf } from '../../src/speech/soundswallower/jsgf.ts';

const grammar = (body: string) => parseJsgf(`#JSGF V1.0;\ngrammar g;\n${body}`);
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

  it('is not led astray by a rule that begins with itself', () => {
    expect(says('public <s> = <s> more | more;', 'more')).toBe(true);
  });

  it.each([
    ['public <s> = a', '";" was expected'],
    ['public <s> = ( a ;', '")" was expected'],
    ['public <s> = <gone>;', 'no rule <gone>'],
    ['<s> = a;', 'no public rule'],
    ['public <a> = a; public <b> = b;', 'more than one public rule'],
    ['public <s> = a; <s> = b;', 'there twice'],
    ['public <s> = *;', 'not expected here'],
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

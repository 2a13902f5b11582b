import { Failure } from '../../core/errors.ts';

/** The part of the Java Speech Grammar Format (W3C note, 2000) that our grammars use, as a tree. */
export type Expansion =
  | { kind: 'word'; word: string }
  | { kind: 'rule'; name: string }
  | { kind: 'sequence'; items: readonly Expansion[] }
  /** `weights`, one for each item, need not add up to 1. */
  | { kind: 'alternatives'; items: readonly Expansion[]; weights: readonly number[] }
  /** `least` to `most` times; `[x]` is 0 to 1, `x*` 0 to any, `x+` 1 to any. `weight`: of once against not at all's 1. */
  | { kind: 'repeat'; item: Expansion; least: 0 | 1; most: 1 | typeof Infinity; weight: number };

export interface JsgfGrammar {
  publicRule: string;
  rules: ReadonlyMap<string, Expansion>;
  /** Every word, once. */
  words: readonly string[];
}

/**
 * Parses a grammar with one public rule: sequences, `|`, `[ ]`, `( )`, `*`, `+`, `<rule>`, weights, `{tags}`
 * (ignored), comments. Throws Failure bad-grammar saying what is wrong and where.
 */
export function parseJsgf(text: string): JsgfGrammar {
  return new Parser(text).grammar();
}

const TOKEN =
  /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|(?<name><[^<>\s]+>)|(?<weight>\/\s*[\d.]+(?:[eE][+-]?\d+)?\s*\/)|(?<tag>\{[^}]*\})|(?<quoted>"[^"]*")|(?<mark>[=;|()[\]*+])|(?<word>[^\s=;|()[\]*+<>{}"/]+)/gy;

type Token = { kind: 'name' | 'mark' | 'word' | 'quoted' | 'weight'; text: string; at: number };

class Parser {
  readonly #tokens: Token[] = [];
  readonly #rules = new Map<string, Expansion>();
  readonly #words = new Set<string>();
  #next = 0;

  constructor(text: string) {
    const body = text.replace(/^\uFEFF?\s*#JSGF[^;]*;/, (header) => ' '.repeat(header.length));
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < body.length) {
      const at = TOKEN.lastIndex;
      const match = TOKEN.exec(body);
      if (match === null) throw bad(`cannot read "${body.slice(at, at + 12)}"`, at);
      const { name, mark, word, quoted, weight } = match.groups!;
      if (name !== undefined) this.#tokens.push({ kind: 'name', text: name.slice(1, -1), at });
      else if (mark !== undefined) this.#tokens.push({ kind: 'mark', text: mark, at });
      else if (word !== undefined) this.#tokens.push({ kind: 'word', text: word, at });
      else if (weight !== undefined) this.#tokens.push({ kind: 'weight', text: weight.replaceAll('/', ''), at });
      else if (quoted !== undefined) this.#tokens.push({ kind: 'quoted', text: quoted.slice(1, -1), at });
    }
  }

  grammar(): JsgfGrammar {
    let publicRule: string | undefined;
    if (this.#isWord('grammar')) {
      this.#next += 2;
      this.#expect(';');
    }
    while (this.#next < this.#tokens.length) {
      const isPublic = this.#isWord('public');
      if (isPublic) this.#next++;
      const name = this.#tokens[this.#next++];
      if (name?.kind !== 'name') throw bad('a rule name was expected', name?.at);
      if (this.#rules.has(name.text)) throw bad(`rule <${name.text}> is there twice`, name.at);
      if (isPublic && publicRule !== undefined) throw bad('there is more than one public rule', name.at);
      this.#expect('=');
      this.#rules.set(name.text, this.#alternatives());
      this.#expect(';');
      if (isPublic) publicRule = name.text;
    }
    if (publicRule === undefined) throw bad('there is no public rule');
    for (const rule of this.#rules.values()) this.#checkReferences(rule);
    return { publicRule, rules: this.#rules, words: [...this.#words] };
  }

  #alternatives(): Expansion {
    const { items, weights } = this.#weighted();
    return items.length === 1 ? items[0]! : { kind: 'alternatives', items, weights };
  }

  #weighted(): { items: Expansion[]; weights: number[] } {
    const items: Expansion[] = [];
    const weights: number[] = [];
    do {
      if (items.length > 0) this.#next++;
      const token = this.#tokens[this.#next];
      if (token?.kind === 'weight') this.#next++;
      weights.push(token?.kind === 'weight' ? Number(token.text) : 1);
      items.push(this.#sequence());
    } while (this.#isMark('|'));
    return { items, weights };
  }

  #sequence(): Expansion {
    const items: Expansion[] = [];
    for (;;) {
      const token = this.#tokens[this.#next];
      if (token === undefined || (token.kind === 'mark' && ';|)]='.includes(token.text))) break;
      items.push(this.#repeated(this.#atom(token)));
    }
    return items.length === 1 ? items[0]! : { kind: 'sequence', items };
  }

  #atom(token: Token): Expansion {
    this.#next++;
    if (token.kind === 'word') return this.#word(token.text);
    if (token.kind === 'quoted')
      return { kind: 'sequence', items: token.text.split(/\s+/).map((word) => this.#word(word)) };
    if (token.kind === 'name') {
      if (token.text === 'NULL') return { kind: 'sequence', items: [] };
      if (token.text === 'VOID') return { kind: 'alternatives', items: [], weights: [] };
      return { kind: 'rule', name: token.text };
    }
    if (token.text === '(') {
      const inner = this.#alternatives();
      this.#expect(')');
      return inner;
    }
    if (token.text === '[') {
      const { items, weights } = this.#weighted();
      this.#expect(']');
      const item: Expansion = items.length === 1 ? items[0]! : { kind: 'alternatives', items, weights };
      return { kind: 'repeat', item, least: 0, most: 1, weight: weights.reduce((sum, weight) => sum + weight, 0) };
    }
    throw bad(`"${token.text}" is not expected here`, token.at);
  }

  #repeated(item: Expansion): Expansion {
    if (this.#isMark('*')) {
      this.#next++;
      return { kind: 'repeat', item, least: 0, most: Infinity, weight: 1 };
    }
    if (this.#isMark('+')) {
      this.#next++;
      return { kind: 'repeat', item, least: 1, most: Infinity, weight: 1 };
    }
    return item;
  }

  #word(word: string): Expansion {
    this.#words.add(word);
    return { kind: 'word', word };
  }

  #checkReferences(node: Expansion): void {
    if (node.kind === 'rule' && !this.#rules.has(node.name)) throw bad(`there is no rule <${node.name}>`);
    if (node.kind === 'repeat') this.#checkReferences(node.item);
    if ('items' in node) for (const item of node.items) this.#checkReferences(item);
  }

  #isWord(text: string): boolean {
    const token = this.#tokens[this.#next];
    return token?.kind === 'word' && token.text === text;
  }

  #isMark(text: string): boolean {
    const token = this.#tokens[this.#next];
    return token?.kind === 'mark' && token.text === text;
  }

  #expect(text: string): void {
    if (!this.#isMark(text)) throw bad(`"${text}" was expected`, this.#tokens[this.#next]?.at);
    this.#next++;
  }
}

function bad(what: string, at?: number): Failure {
  const where = at === undefined ? '' : ` (at character ${at})`;
  return new Failure(`speech grammar: ${what}${where}`, { code: 'bad-grammar', blame: 'us' });
}

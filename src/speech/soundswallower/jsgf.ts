import { Failure } from '../../core/errors.ts';

/** The part of the Java Speech Grammar Format (W3C note, 2000) that our grammars use, as a tree. */
export type Expansion =
  | { kind: 'word'; word: string }
  | { kind: 'rule'; name: string }
  | { kind: 'sequence'; items: readonly Expansion[] }
  | { kind: 'alternatives'; items: readonly Expansion[] }
  /** `least` to `most` times; `[x]` is 0 to 1, `x*` 0 to any, `x+` 1 to any. */
  | { kind: 'repeat'; item: Expansion; least: 0 | 1; most: 1 | typeof Infinity };

export interface JsgfGrammar {
  publicRule: string;
  rules: ReadonlyMap<string, Expansion>;
  /** Every word, once. */
  words: readonly string[];
}

/**
 * Parses a grammar with one public rule: sequences, `|`, `[ ]`, `( )`, `*`, `+`, `<rule>`, weights (ignored here, the
 * engine reads them), `{tags}` (ignored), comments. Throws Failure bad-grammar saying what is wrong and where.
 */
export function parseJsgf(text: string): JsgfGrammar {
  return new Parser(text).grammar();
}

const TOKEN =
  /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|(?<name><[^<>\s]+>)|(?<weight>\/\s*[\d.]+(?:[eE][+-]?\d+)?\s*\/)|(?<tag>\{[^}]*\})|(?<quoted>"[^"]*")|(?<mark>[=;|()[\]*+])|(?<word>[^\s=;|()[\]*+<>{}"/]+)/gy;

type Token = { kind: 'name' | 'mark' | 'word' | 'quoted'; text: string; at: number };

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
      const { name, mark, word, quoted } = match.groups!;
      if (name !== undefined) this.#tokens.push({ kind: 'name', text: name.slice(1, -1), at });
      else if (mark !== undefined) this.#tokens.push({ kind: 'mark', text: mark, at });
      else if (word !== undefined) this.#tokens.push({ kind: 'word', text: word, at });
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
    const items = [this.#sequence()];
    while (this.#isMark('|')) {
      this.#next++;
      items.push(this.#sequence());
    }
    return items.length === 1 ? items[0]! : { kind: 'alternatives', items };
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
      if (token.text === 'VOID') return { kind: 'alternatives', items: [] };
      return { kind: 'rule', name: token.text };
    }
    const inner = this.#alternatives();
    if (token.text === '(') {
      this.#expect(')');
      return inner;
    }
    if (token.text === '[') {
      this.#expect(']');
      return { kind: 'repeat', item: inner, least: 0, most: 1 };
    }
    throw bad(`"${token.text}" is not expected here`, token.at);
  }

  #repeated(item: Expansion): Expansion {
    if (this.#isMark('*')) {
      this.#next++;
      return { kind: 'repeat', item, least: 0, most: Infinity };
    }
    if (this.#isMark('+')) {
      this.#next++;
      return { kind: 'repeat', item, least: 1, most: Infinity };
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

/** Is this a whole sentence of the grammar? Works on sets of positions, so nothing is tried twice. */
export function accepts(grammar: JsgfGrammar, words: readonly string[]): boolean {
  const known = new Map<Expansion, Map<number, ReadonlySet<number>>>();

  /** Where a match of `node` that begins at `at` can end. */
  function ends(node: Expansion, at: number): ReadonlySet<number> {
    let byPosition = known.get(node);
    if (byPosition === undefined) {
      byPosition = new Map();
      known.set(node, byPosition);
    }
    const before = byPosition.get(at);
    if (before !== undefined) return before;
    // a rule that begins with itself matches nothing new
    byPosition.set(at, NOWHERE);
    const found = search(node, at);
    byPosition.set(at, found);
    return found;
  }

  function search(node: Expansion, at: number): ReadonlySet<number> {
    switch (node.kind) {
      case 'word':
        return words[at] === node.word ? new Set([at + 1]) : NOWHERE;
      case 'rule':
        return ends(grammar.rules.get(node.name)!, at);
      case 'alternatives':
        return union(node.items.map((item) => ends(item, at)));
      case 'sequence': {
        let starts: ReadonlySet<number> = new Set([at]);
        for (const item of node.items) starts = union(Array.from(starts, (start) => ends(item, start)));
        return starts;
      }
      case 'repeat': {
        const reached = new Set(ends(node.item, at));
        if (node.most === Infinity) {
          for (const start of reached) for (const end of ends(node.item, start)) reached.add(end);
        }
        if (node.least === 0) reached.add(at);
        return reached;
      }
    }
  }

  return ends(grammar.rules.get(grammar.publicRule)!, 0).has(words.length);
}

const NOWHERE: ReadonlySet<number> = new Set();

function union(sets: readonly ReadonlySet<number>[]): ReadonlySet<number> {
  if (sets.length === 1) return sets[0]!;
  const all = new Set<number>();
  for (const set of sets) for (const value of set) all.add(value);
  return all;
}

function bad(what: string, at?: number): Failure {
  const where = at === undefined ? '' : ` (at character ${at})`;
  return new Failure(`speech grammar: ${what}${where}`, { code: 'bad-grammar', blame: 'us' });
}

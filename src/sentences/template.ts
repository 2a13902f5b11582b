import { Failure } from '../core/errors.ts';
import { cardinalWords } from './number-words.ts';
import { wordsOf } from './words.ts';

/**
 * A parsed sentence. Words are lower case and without punctuation; joined forms such as `card[s]` have become
 * alternatives of whole words, `<rules>` have been put in place.
 */
export type Node =
  | { kind: 'word'; text: string }
  | { kind: 'sequence'; items: readonly Node[] }
  /** `(a|b)` */
  | { kind: 'alternatives'; items: readonly Node[] }
  /** `[a]`; `[a|b]` holds alternatives. */
  | { kind: 'optional'; item: Node }
  /** `(a;b)`: all of them, in any order. */
  | { kind: 'permutation'; items: readonly Node[] }
  /** `{name}` */
  | { kind: 'slot'; name: string };

export interface Template {
  readonly source: string;
  readonly root: Node;
  /** Names of the slots in it, in order of appearance, each once. */
  readonly slots: readonly string[];
}

/** The text as written, before joined forms are resolved: white space decides where words end. */
type Raw = { column: number } & (
  | { kind: 'text'; text: string }
  | { kind: 'group'; optional: boolean; permuted: boolean; branches: Raw[][] }
  | { kind: 'slot'; name: string }
  | { kind: 'rule'; node: Node }
);

const MAX_JOINED_FORMS = 64;
const MAX_PERMUTED = 4;
const MAX_DEPTH = 32;

/**
 * Reads a sentence in the template language of Home Assistant's hassil: `[optional] (a|b) {slot}`, nested groups,
 * `[a|b]`, permutations `(a;b)`, word parts `card[s]`, and `<rule>` for a template of `rules`.
 * Throws Failure code bad-template naming the column (from 1) where it goes wrong.
 */
export function parseTemplate(source: string, rules: Readonly<Record<string, string>> = {}): Template {
  return parse(source, rules, [], 'template');
}

function parse(
  source: string,
  rules: Readonly<Record<string, string>>,
  open: readonly string[],
  what: string,
): Template {
  const reader = new Reader(source, rules, open, what);
  const root = lower(reader.all(), reader);
  if (open.length === 0 && matchesNothing(root)) reader.fail('every part is optional, so silence would match', 0);
  return { source, root, slots: [...new Set(slotNames(root))] };
}

class Reader {
  readonly #source: string;
  readonly #rules: Readonly<Record<string, string>>;
  readonly #open: readonly string[];
  readonly #what: string;
  #at = 0;
  #depth = 0;

  constructor(source: string, rules: Readonly<Record<string, string>>, open: readonly string[], what: string) {
    this.#source = source;
    this.#rules = rules;
    this.#open = open;
    this.#what = what;
  }

  fail(problem: string, at = this.#at): never {
    throw new Failure(`${this.#what} "${this.#source}", column ${at + 1}: ${problem}`, {
      code: 'bad-template',
      blame: 'us',
    });
  }

  all(): Raw[] {
    const items = this.#sequence();
    const char = this.#source[this.#at];
    if (char === '|' || char === ';') this.fail(`"${char}" needs parentheses around the alternatives`);
    if (char !== undefined) this.fail(`"${char}" closes nothing`);
    return items;
  }

  #sequence(): Raw[] {
    const items: Raw[] = [];
    for (;;) {
      const column = this.#at;
      const text = /^[^()[\]{}<>|;]+/.exec(this.#source.slice(column))?.[0];
      if (text !== undefined) {
        this.#at += text.length;
        items.push({ kind: 'text', text, column });
        continue;
      }
      const char = this.#source[column];
      if (char === '(' || char === '[') items.push(this.#group(char));
      else if (char === '{') items.push({ kind: 'slot', name: this.#name('}'), column });
      else if (char === '<') items.push({ kind: 'rule', node: this.#rule(), column });
      else return items;
    }
  }

  #group(opening: '(' | '['): Raw {
    const column = this.#at;
    const closing = opening === '(' ? ')' : ']';
    if (++this.#depth > MAX_DEPTH) this.fail('groups are nested too deeply');
    const branches: Raw[][] = [];
    let separator: string | undefined;
    for (;;) {
      this.#at++;
      const start = this.#at;
      const branch = this.#sequence();
      if (!branch.some((raw) => raw.kind !== 'text' || wordsOf(raw.text).length > 0))
        this.fail('nothing stands here', start);
      branches.push(branch);
      const char = this.#source[this.#at];
      if (char === closing) break;
      if (char === undefined) this.fail(`"${opening}" is not closed`, column);
      if (char !== '|' && char !== ';') this.fail(`"${char}" where "${closing}" was expected`);
      if (separator !== undefined && char !== separator) this.fail('"|" and ";" cannot be mixed in one group');
      separator = char;
    }
    this.#at++;
    this.#depth--;
    const permuted = separator === ';';
    if (permuted && branches.length > MAX_PERMUTED) this.fail(`more than ${MAX_PERMUTED} parts in any order`, column);
    return { kind: 'group', optional: opening === '[', permuted, branches, column };
  }

  #name(closing: '}' | '>'): string {
    const found = /^.([a-z_][a-z0-9_]*)(.?)/i.exec(this.#source.slice(this.#at));
    if (!found) this.fail('a name of letters, digits and underscores is expected', this.#at + 1);
    if (found[2] !== closing) this.fail(`"${closing}" is expected`, this.#at + 1 + found[1]!.length);
    this.#at += found[0].length;
    return found[1]!;
  }

  #rule(): Node {
    const column = this.#at;
    const name = this.#name('>');
    const source = Object.hasOwn(this.#rules, name) ? this.#rules[name] : undefined;
    if (source === undefined) this.fail(`there is no rule <${name}>`, column);
    if (this.#open.includes(name)) this.fail(`rule <${name}> contains itself`, column);
    return parse(source, this.#rules, [...this.#open, name], `rule <${name}>`).root;
  }
}

function lower(items: readonly Raw[], reader: Reader): Node {
  const nodes: Node[] = [];
  for (let first = 0; first < items.length; ) {
    let last = first;
    while (last + 1 < items.length && joined(items[last]!, items[last + 1]!)) last++;
    const run = items.slice(first, last + 1);
    nodes.push(run.length === 1 ? lowerOne(run[0]!, reader) : lowerJoined(run, reader));
    first = last + 1;
  }
  return sequence(nodes);
}

function lowerOne(raw: Raw, reader: Reader): Node {
  if (raw.kind === 'text') return textNode(raw.text);
  if (raw.kind === 'slot') return { kind: 'slot', name: raw.name };
  if (raw.kind === 'rule') return raw.node;
  const branches = raw.branches.map((branch) => lower(branch, reader));
  const item: Node =
    branches.length === 1
      ? branches[0]!
      : raw.permuted
        ? { kind: 'permutation', items: branches }
        : { kind: 'alternatives', items: branches };
  return raw.optional ? { kind: 'optional', item } : item;
}

function textNode(text: string): Node {
  // Figures are written out: a grammar needs words that can be pronounced.
  const words = wordsOf(text).flatMap((word) =>
    /^\d{1,9}$/.test(word) ? cardinalWords(Number(word)).split(' ') : [word],
  );
  return sequence(words.map((word) => ({ kind: 'word', text: word })));
}

function sequence(nodes: readonly Node[]): Node {
  const flat = nodes.flatMap((node) => (node.kind === 'sequence' ? node.items : [node]));
  return flat.length === 1 ? flat[0]! : { kind: 'sequence', items: flat };
}

/** Do two neighbours share a word (`card` and `[s]`)? Slots and rules always stand for words of their own. */
function joined(left: Raw, right: Raw): boolean {
  return touches(left, -1) && touches(right, 0);
}

function touches(raw: Raw, end: 0 | -1): boolean {
  if (raw.kind === 'text') return /[\p{L}\p{N}\p{M}']/u.test(raw.text.at(end) ?? '');
  return raw.kind === 'group' && !raw.permuted && raw.branches.some((branch) => touches(branch.at(end)!, end));
}

function lowerJoined(run: readonly Raw[], reader: Reader): Node {
  const forms = joinedForms(run, reader, run[0]!.column).map((form) => lower(form, reader));
  return { kind: 'alternatives', items: forms };
}

/** Every way to write out the run, with neighbouring texts put together. */
function joinedForms(run: readonly Raw[], reader: Reader, column: number): Raw[][] {
  let forms: Raw[][] = [[]];
  for (const raw of run) {
    const choices: Raw[][] =
      raw.kind !== 'group' || raw.permuted
        ? [[raw]]
        : raw.branches.flatMap((branch) => joinedForms(branch, reader, column));
    if (raw.kind === 'group' && raw.optional) choices.push([]);
    forms = forms.flatMap((form) => choices.map((choice) => glue(form, choice)));
    if (forms.length > MAX_JOINED_FORMS) reader.fail('too many forms of one joined word: put spaces between', column);
  }
  return forms;
}

function glue(left: readonly Raw[], right: readonly Raw[]): Raw[] {
  const [end, start] = [left.at(-1), right[0]];
  if (end?.kind !== 'text' || start?.kind !== 'text') return [...left, ...right];
  return [...left.slice(0, -1), { ...end, text: end.text + start.text }, ...right.slice(1)];
}

function matchesNothing(node: Node): boolean {
  if (node.kind === 'word' || node.kind === 'slot') return false;
  if (node.kind === 'optional') return true;
  return node.kind === 'alternatives' ? node.items.some(matchesNothing) : node.items.every(matchesNothing);
}

function slotNames(node: Node): string[] {
  if (node.kind === 'slot') return [node.name];
  if (node.kind === 'word') return [];
  return node.kind === 'optional' ? slotNames(node.item) : node.items.flatMap(slotNames);
}

/** All orders of a permutation's parts. */
export function ordersOf<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, at) => ordersOf(items.filter((_, other) => other !== at)).map((rest) => [item, ...rest]));
}

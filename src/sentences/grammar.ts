import { createHash } from 'node:crypto';
import { Failure } from '../core/errors.ts';
import { beginnings, digitRules } from './digit-grammar.ts';
import { CORRECTIONS, JOINS } from './joined.ts';
import { cardinalWords } from './number-words.ts';
import type { Slot } from './slots.ts';
import { type Node, ordersOf, parseTemplate } from './template.ts';
import { plainWordsOf, wordsOf } from './words.ts';
import { NO_PHRASES, YES_PHRASES } from './yes-no.ts';

export interface GrammarSpec {
  sentences?: readonly {
    templates: readonly string[];
    slots?: Record<string, Slot>;
    expansions?: Record<string, string>;
    /** May be said with others of its kind in one breath: "A and B", "A, no, B". Default false. */
    joins?: boolean;
  }[];
  /** A spoken number of exactly so many digits. */
  digits?: number;
  /** Of that number also the beginning alone, by who stops in the middle; or so many digits that were `missing` then. */
  pieces?: { missing?: number | undefined };
  yesNo?: boolean;
  choice?: Slot;
  /**
   * Also what people say around a sentence: "um", "hello can you tell me", "please", "thank you". `turning`: only the
   * little with which they turn away from a question, which makes a smaller grammar. Default none.
   */
  fillers?: 'all' | 'turning';
}

export interface Grammar {
  /** Hash of the content: same key, same grammar. */
  key: string;
  /** JSGF with the one public rule `<s>`; lower-case words. */
  jsgf: string;
  /** Every word in it, sorted: what the recogniser's dictionary must hold. */
  words: string[];
}

const LEADS = [
  'um',
  'uh',
  'well',
  'so',
  'hello',
  'hi',
  'okay',
  'yes',
  'no',
  'please',
  'sorry',
  'can you tell me',
  'could you tell me',
  'please tell me',
  'tell me',
  'can you',
  'could you',
  'could you please',
  'i would like to',
  'i want to',
  'i need to',
  'i would like to know',
  'i want to know',
  'hello i would like to know',
  'hello can you tell me',
];
/** Before a request that is made instead of an answer. */
const TURNING_LEADS = ['um', 'no', 'no wait', 'yes and', 'sorry', 'okay', 'actually', 'can you tell me', 'can you'];
const TURNING_TAILS = ['please', 'instead', 'first'];
const TAILS = ['please', 'thanks', 'thank you', 'now', 'right now'];
const VALUE_LEADS = ["it's", 'it is', 'my number is', 'the number is', "that's", 'that is', 'yes', 'um', 'uh', 'okay'];
const CHOICE_LEADS = ['the', 'my', 'a', "it's the", 'it is the', "it's my", 'um', 'um the'];
const CHOICE_TAILS = ['please', 'one', 'one please'];

/** Between two sentences said in one breath: another one, or another instead. */
const LINKS = [...JOINS, ...CORRECTIONS].map((words) => words.join(' '));
/** How likely a sentence is followed by another in the same breath. More makes "and an agent" of the noise behind a request. */
const LINK_WEIGHT = 0.00001;

/** How likely it is that somebody stops in the middle of a number for good. */
const BEGINNING_WEIGHT = 0.02;

/** More numbers than this are not listed one by one. */
const MAX_NUMBERS = 1000;

/**
 * A recogniser grammar for what a caller may say next. The grammar is deterministic: the same specification gives the
 * same text. Optional lead-ins carry small weights, so that plain answers stay the likely ones.
 * Throws Failure code bad-template, unknown-slot or bad-grammar.
 */
export function compileGrammar(spec: GrammarSpec): Grammar {
  const rules = new Map<string, string>();
  const sentences = spec.sentences ?? [];
  const alone = writeSentences(
    sentences.filter(({ joins }) => !joins),
    rules,
  );
  const joining = writeSentences(
    sentences.filter(({ joins }) => joins),
    rules,
  );
  const framed = (written: readonly string[]) => withFillers(written, spec.fillers, rules);
  const top = alone.length > 0 ? [framed(alone)] : [];
  if (joining.length > 0) {
    rules.set('link', phrases(LINKS));
    rules.set('request', framed(joining));
    rules.set('requests', `<request> [ /${LINK_WEIGHT}/ ( <link> <request> )+ ]`);
    // Every sentence stays as likely as any other.
    const weight = alone.length > 0 ? `/${Number((joining.length / alone.length).toFixed(2))}/ ` : '';
    top.splice(0, 1, alternatives([...top, `${weight}<requests>`]));
  }
  if (spec.yesNo) {
    rules.set('yes', phrases(spokenForms(YES_PHRASES)));
    rules.set('no', phrases(spokenForms(NO_PHRASES)));
    top.push('( <yes> | <no> )');
  }
  if (spec.digits !== undefined) {
    const name = writeNumber(spec.digits, spec.pieces, rules);
    rules.set('value_lead', phrases(VALUE_LEADS));
    top.push(`[ /0.1/ <value_lead> ] ${name} [ /0.05/ please ]`);
  }
  if (spec.choice !== undefined) {
    const value = writeSlot('choice', spec.choice, rules);
    rules.set('choice_lead', phrases(CHOICE_LEADS));
    rules.set('choice_tail', phrases(CHOICE_TAILS));
    top.push(`[ /0.3/ <choice_lead> ] ${value} [ /0.3/ <choice_tail> ]`);
  }
  if (top.length === 0) throw new Failure('a grammar needs something to say', { code: 'bad-grammar', blame: 'us' });
  const body = [
    `public <s> = ${unique(top).join('\n  | ')};`,
    ...[...rules].map(([name, text]) => `<${name}> = ${text};`),
  ];
  const key = createHash('sha256').update(body.join('\n')).digest('hex').slice(0, 16);
  const jsgf = `#JSGF V1.0;\ngrammar g${key};\n${body.join('\n')}\n`;
  return { key, jsgf, words: wordsIn(body) };
}

function writeSentences(sentences: NonNullable<GrammarSpec['sentences']>, rules: Map<string, string>): string[] {
  const written: string[] = [];
  const before = new Map<string, string[]>();
  for (const { templates, slots = {}, expansions } of sentences) {
    for (const template of templates) {
      const { root } = parseTemplate(template, expansions);
      const [start, digits] = partDigits(root, slots);
      if (digits === undefined) written.push(write(root, slots, rules));
      else append(before, addDigits(digits.length, rules), write(start, slots, rules));
    }
  }
  // A recogniser copies a rule wherever it is used, and digits are by far the largest: sentences that end in them share.
  for (const [digits, starts] of before) written.push(`/${starts.length}/ ( ${alternatives(starts)} ${digits} )`);
  return written;
}

function withFillers(
  sentences: readonly string[],
  fillers: GrammarSpec['fillers'],
  rules: Map<string, string>,
): string {
  if (fillers === undefined) return alternatives(sentences);
  rules.set('lead', phrases(fillers === 'all' ? LEADS : TURNING_LEADS));
  rules.set('tail', phrases(fillers === 'all' ? TAILS : TURNING_TAILS));
  return `[ /0.2/ <lead> ] ${alternatives(sentences)} [ /0.2/ <tail> ]`;
}

/** A sentence that ends in digits, as what comes before and the digits. */
function partDigits(root: Node, slots: Record<string, Slot>): [Node, Extract<Slot, { kind: 'digits' }> | undefined] {
  const last = root.kind === 'sequence' ? root.items.at(-1) : undefined;
  const slot = last?.kind === 'slot' && Object.hasOwn(slots, last.name) ? slots[last.name] : undefined;
  if (root.kind !== 'sequence' || slot?.kind !== 'digits') return [root, undefined];
  return [{ kind: 'sequence', items: root.items.slice(0, -1) }, slot];
}

function append(map: Map<string, string[]>, key: string, item: string): void {
  const items = map.get(key);
  if (items === undefined) map.set(key, [item]);
  else items.push(item);
}

function write(node: Node, slots: Record<string, Slot>, rules: Map<string, string>): string {
  switch (node.kind) {
    case 'word':
      return node.text;
    case 'sequence':
      return node.items
        .map((item) => write(item, slots, rules))
        .filter(Boolean)
        .join(' ');
    case 'alternatives':
      return writeBranches(node.items, slots, rules);
    case 'optional':
      return `[ ${write(node.item, slots, rules)} ]`;
    case 'permutation': {
      const parts = node.items.map((item) => write(item, slots, rules));
      return alternatives(ordersOf(parts).map((order) => order.map((part) => `( ${part} )`).join(' ')));
    }
    case 'slot': {
      const slot = Object.hasOwn(slots, node.name) ? slots[node.name] : undefined;
      if (slot === undefined)
        throw new Failure(`there is no slot {${node.name}}`, { code: 'unknown-slot', blame: 'us' });
      return writeSlot(node.name, slot, rules);
    }
  }
}

/** A branch that says nothing, as in `card[s]` written out, makes the whole optional. */
function writeBranches(nodes: readonly Node[], slots: Record<string, Slot>, rules: Map<string, string>): string {
  const branches = nodes.map((item) => write(item, slots, rules));
  const spoken = branches.filter(Boolean);
  if (spoken.length === 0) return '';
  return spoken.length < branches.length ? `[ ${alternatives(spoken)} ]` : alternatives(spoken);
}

function writeSlot(name: string, slot: Slot, rules: Map<string, string>): string {
  if (slot.kind === 'digits') return addDigits(slot.length, rules);
  if (slot.kind === 'choice') {
    const all = slot.options.flatMap((option) => option.phrases.map((phrase) => wordsOf(phrase).join(' ')));
    return addRule(`choice_${name}`, phrases(all), rules);
  }
  const count = slot.max - slot.min + 1;
  if (!(count >= 1 && count <= MAX_NUMBERS)) {
    throw new Failure(`slot {${name}}: ${slot.min} to ${slot.max} are not 1 to ${MAX_NUMBERS} numbers`, {
      code: 'bad-grammar',
      blame: 'us',
    });
  }
  const all = Array.from({ length: count }, (_, at) => cardinalWords(slot.min + at));
  return addRule(`number_${slot.min}_${slot.max}`.replaceAll('-', 'm'), phrases(all), rules);
}

/** Whoever begins anew says all of it; the beginnings are so unlikely that a digit is hardly lost for them. */
function writeNumber(length: number, pieces: GrammarSpec['pieces'], rules: Map<string, string>): string {
  const whole = addDigits(length, rules);
  if (pieces === undefined) return whole;
  const { missing } = pieces;
  const parts = [`/1/ ${whole}`];
  if (missing !== undefined && missing !== length) parts.push(`/1/ ${addDigits(missing, rules)}`);
  const begun = beginnings(missing ?? length);
  if (begun !== undefined) parts.push(`/${BEGINNING_WEIGHT}/ ${begun}`);
  return parts.length === 1 ? whole : `( ${parts.join(' | ')} )`;
}

function addDigits(length: number, rules: Map<string, string>): string {
  for (const [name, text] of digitRules(length)) rules.set(name, text);
  return `<digits${length}>`;
}

/** Two actions may have slots of one name with other contents. */
function addRule(wanted: string, text: string, rules: Map<string, string>): string {
  let name = wanted.toLowerCase();
  for (let more = 2; rules.has(name) && rules.get(name) !== text; more++) name = `${wanted}_${more}`;
  rules.set(name, text);
  return `<${name}>`;
}

function alternatives(items: readonly string[]): string {
  const distinct = unique(items);
  return distinct.length === 1 ? distinct[0]! : `( ${distinct.join(' | ')} )`;
}

function phrases(items: readonly string[]): string {
  return alternatives(items);
}

/** As written and as contracted: "that is right" is mostly said "that's right". */
function spokenForms(items: readonly string[]): string[] {
  const short: readonly [string, string][] = [
    ['that is', "that's"],
    ['do not', "don't"],
    ['i am', "i'm"],
    ['i would', "i'd"],
  ];
  return unique(
    items.flatMap((item) => [
      item,
      ...short.flatMap(([long, contracted]) => {
        const spoken = item.replace(new RegExp(`\\b${long}\\b`), contracted);
        // Only where the short form still means the same: "i'd" alone says nothing.
        return spoken !== item && plainWordsOf(spoken).join(' ') === item && !/(i'd|i'm|that's)$/.test(spoken)
          ? [spoken]
          : [];
      }),
    ]),
  );
}

function unique(items: readonly string[]): string[] {
  return [...new Set(items)];
}

function wordsIn(body: readonly string[]): string[] {
  const found = body
    .join('\n')
    .replace(/^(public )?<\w+> =/gm, ' ')
    .replace(/<\w+>|\/[\d.]+\//g, ' ')
    .match(/[\p{L}\p{N}\p{M}']+/gu);
  return unique(found ?? []).sort();
}

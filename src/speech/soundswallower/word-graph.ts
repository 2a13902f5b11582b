import { Failure } from '../../core/errors.ts';
import type { Expansion, JsgfGrammar } from './jsgf.ts';

/** A word that may come next: where it leads, and how likely it is of all that may happen in its state (0 to 1). */
export interface Arc {
  word: string;
  to: number;
  share: number;
}

/** What may be said next; `stop` is how likely it is that nothing comes, 0 where the sentence cannot end. */
export interface State {
  arcs: readonly Arc[];
  stop: number;
}

/** The smallest deterministic automaton of a grammar's sentences; it starts in state 0. */
export type WordGraph = readonly State[];

/**
 * Makes one of a parsed grammar: subset construction, then states with the same continuations are merged (Moore 1956).
 * The engine searches every state that fits so far, and a grammar written as alternatives has the beginning of "where is
 * my …" once for each sentence that begins so; here it is there once. Likelihoods are those of the grammar's weights:
 * what reaches a state by several ways is summed. Throws Failure bad-grammar for a rule that contains
 * itself anywhere but at its end.
 */
export function wordGraph(grammar: JsgfGrammar): WordGraph {
  return merged(weighed(determinised(new Sketch(grammar))));
}

/** Is this a whole sentence of the grammar? */
export function accepts(graph: WordGraph, words: readonly string[]): boolean {
  let state = graph[0];
  for (const word of words) {
    const arc = state?.arcs.find((candidate) => candidate.word === word);
    if (arc === undefined) return false;
    state = graph[arc.to];
  }
  return (state?.stop ?? 0) > 0;
}

interface Edge {
  to: number;
  share: number;
  /** Undefined: nothing is said on the way. */
  word: string | undefined;
}

/** Moves that say nothing add up to less than this: a loop of them has been followed far enough. */
const NEGLIGIBLE = 1e-9;

/** The grammar as a nondeterministic automaton, rules written out where they are used (Thompson 1968). */
class Sketch {
  readonly start: number;
  readonly end: number;
  readonly #grammar: JsgfGrammar;
  readonly #edges: Edge[][] = [];
  readonly #closures = new Map<number, ReadonlyMap<number, number>>();

  constructor(grammar: JsgfGrammar) {
    this.#grammar = grammar;
    this.start = this.#node();
    this.end = this.#draw({ kind: 'rule', name: grammar.publicRule }, this.start, new Map());
  }

  edges(node: number): readonly Edge[] {
    return this.#edges[node]!;
  }

  /** The nodes reached from `node` without a word, in which something is said or all is said; with their shares. */
  closure(node: number): ReadonlyMap<number, number> {
    let found = this.#closures.get(node);
    if (found === undefined) {
      const reached = new Map<number, number>();
      this.#reach(node, 1, reached);
      this.#closures.set(node, reached);
      found = reached;
    }
    return found;
  }

  #reach(node: number, share: number, reached: Map<number, number>): void {
    if (share < NEGLIGIBLE) return;
    const edges = this.#edges[node]!;
    if (node === this.end || edges.some(({ word }) => word !== undefined)) {
      reached.set(node, (reached.get(node) ?? 0) + share);
    }
    for (const edge of edges) if (edge.word === undefined) this.#reach(edge.to, share * edge.share, reached);
  }

  #node(): number {
    return this.#edges.push([]) - 1;
  }

  #edge(from: number, to: number, share: number, word?: string): void {
    this.#edges[from]!.push({ to, share, word });
  }

  /**
   * Draws what `expansion` says from node `from`; returns the node behind it. `within`: the rules around it, each with its
   * first node where `expansion` ends the rule: there the rule may come again, and no other place would be regular.
   */
  #draw(expansion: Expansion, from: number, within: Within): number {
    switch (expansion.kind) {
      case 'word': {
        const to = this.#node();
        this.#edge(from, to, 1, expansion.word);
        return to;
      }
      case 'rule':
        return this.#drawRule(expansion.name, from, within);
      case 'sequence': {
        const last = expansion.items.length - 1;
        return expansion.items.reduce(
          (at, item, i) => this.#draw(item, at, i === last ? within : inside(within)),
          from,
        );
      }
      case 'alternatives': {
        const end = this.#node();
        const total = expansion.weights.reduce((sum, weight) => sum + weight, 0);
        expansion.items.forEach((item, i) => {
          const begin = this.#node();
          this.#edge(from, begin, expansion.weights[i]! / total);
          this.#edge(this.#draw(item, begin, within), end, 1);
        });
        return end;
      }
      case 'repeat':
        return this.#drawRepeat(expansion, from, within);
    }
  }

  #drawRule(name: string, from: number, within: Within): number {
    if (!within.has(name)) {
      const begin = this.#node();
      this.#edge(from, begin, 1);
      return this.#draw(this.#grammar.rules.get(name)!, begin, new Map([...within, [name, begin]]));
    }
    const begin = within.get(name);
    if (begin === undefined) {
      const facts = { code: 'bad-grammar', blame: 'us' } as const;
      throw new Failure(`speech grammar: rule <${name}> contains itself`, facts);
    }
    this.#edge(from, begin, 1);
    // what ends there ends the rule that is gone through again: nothing comes by here
    return this.#node();
  }

  #drawRepeat(
    { item, least, most, weight }: Extract<Expansion, { kind: 'repeat' }>,
    from: number,
    within: Within,
  ): number {
    const begin = this.#node();
    const end = this.#node();
    const taken = weight / (1 + weight);
    if (least === 0) this.#edge(from, end, 1 - taken);
    this.#edge(from, begin, least === 0 ? taken : 1);
    const behind = this.#draw(item, begin, most === 1 ? within : inside(within));
    const again = most === Infinity ? 0.5 : 0;
    if (again > 0) this.#edge(behind, begin, again);
    this.#edge(behind, end, 1 - again);
    return end;
  }
}

type Within = ReadonlyMap<string, number | undefined>;

/** Of what does not end the rules around it. */
function inside(within: Within): Within {
  return new Map(Array.from(within.keys(), (name) => [name, undefined]));
}

interface Subset {
  nodes: readonly number[];
  /** word -> state */
  next: Map<string, number>;
}

interface Determinised {
  sketch: Sketch;
  subsets: readonly Subset[];
}

function determinised(sketch: Sketch): Determinised {
  const subsets: Subset[] = [];
  const known = new Map<string, number>();
  const stateOf = (nodes: readonly number[]): number => {
    const key = nodes.join(' ');
    let state = known.get(key);
    if (state === undefined) {
      state = subsets.push({ nodes, next: new Map() }) - 1;
      known.set(key, state);
    }
    return state;
  };
  stateOf(sorted(sketch.closure(sketch.start).keys()));
  for (let at = 0; at < subsets.length; at++) {
    const targets = new Map<string, Set<number>>();
    for (const node of subsets[at]!.nodes) {
      for (const { word, to } of sketch.edges(node)) {
        if (word === undefined) continue;
        const reached = targets.get(word) ?? new Set();
        for (const next of sketch.closure(to).keys()) reached.add(next);
        targets.set(word, reached);
      }
    }
    for (const [word, reached] of targets) subsets[at]!.next.set(word, stateOf(sorted(reached)));
  }
  return { sketch, subsets };
}

function sorted(nodes: Iterable<number>): number[] {
  return [...nodes].sort((a, b) => a - b);
}

/** How often each state is passed, of all sentences; its arcs and its end likewise. */
interface Flow {
  stop: number;
  arcs: Map<string, { to: number; share: number }>;
}

function weighed({ sketch, subsets }: Determinised): Flow[] {
  const within = subsets.map(() => new Map<number, number>());
  const flows: Flow[] = subsets.map(() => ({ stop: 0, arcs: new Map() }));
  const pour = (state: number, node: number, share: number) =>
    within[state]!.set(node, (within[state]!.get(node) ?? 0) + share);
  for (const [node, share] of sketch.closure(sketch.start)) pour(0, node, share);
  for (const state of inOrder(subsets)) {
    const { arcs } = flows[state]!;
    for (const [node, mass] of within[state]!) {
      if (node === sketch.end) flows[state]!.stop += mass;
      for (const { word, to, share } of sketch.edges(node)) {
        if (word === undefined) continue;
        const target = subsets[state]!.next.get(word)!;
        const arc = arcs.get(word) ?? { to: target, share: 0 };
        arc.share += mass * share;
        arcs.set(word, arc);
        for (const [next, part] of sketch.closure(to)) pour(target, next, mass * share * part);
      }
    }
  }
  return flows;
}

/** Each state before those it leads to; within a loop, as it comes. */
function inOrder(subsets: readonly Subset[]): number[] {
  const order: number[] = [];
  const seen = new Set<number>();
  const visit = (state: number): void => {
    if (seen.has(state)) return;
    seen.add(state);
    for (const next of subsets[state]!.next.values()) visit(next);
    order.push(state);
  };
  visit(0);
  return order.reverse();
}

function merged(flows: readonly Flow[]): WordGraph {
  const classOf = classes(flows);
  const sums: Flow[] = [];
  flows.forEach(({ stop, arcs }, state) => {
    sums[classOf[state]!] ??= { stop: 0, arcs: new Map() };
    const sum = sums[classOf[state]!]!;
    sum.stop += stop;
    for (const [word, { to, share }] of arcs) {
      const arc = sum.arcs.get(word) ?? { to: classOf[to]!, share: 0 };
      arc.share += share;
      sum.arcs.set(word, arc);
    }
  });
  return sums.map(({ stop, arcs }) => {
    const total = [...arcs.values()].reduce((sum, { share }) => sum + share, stop);
    return {
      stop: stop / total,
      arcs: Array.from(arcs, ([word, { to, share }]) => ({ word, to, share: share / total })),
    };
  });
}

/** States with the same continuations get the same number; the first state gets 0. */
function classes(flows: readonly Flow[]): number[] {
  let classOf: number[] = flows.map(({ stop }) => (stop > 0 ? 1 : 0));
  for (let count = 0; ; ) {
    const known = new Map<string, number>();
    const finer = flows.map(({ arcs }, state) => {
      const continuations = Array.from(arcs, ([word, { to }]) => `${word} ${classOf[to]}`).sort();
      const signature = `${classOf[state]}|${continuations.join('|')}`;
      if (!known.has(signature)) known.set(signature, known.size);
      return known.get(signature)!;
    });
    classOf = finer;
    if (known.size === count) return classOf;
    count = known.size;
  }
}

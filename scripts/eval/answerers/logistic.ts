/** One decision: its features by name, and whether it was a machine. */
export interface Sample {
  readonly features: ReadonlyMap<string, number>;
  readonly machine: boolean;
  /** Log odds by what is known besides the features. Default 0. */
  readonly offset?: number;
}

export type Weights = ReadonlyMap<string, number>;

const STEPS = 1000;
const STEP = 0.05;

export interface Prior {
  readonly weights: Weights;
  /** How strongly a weight is drawn to its prior (0 where there is none). */
  strictness(name: string): number;
}

/**
 * Logistic regression whose weights are drawn to a prior, so that what is seldom seen keeps what is known of it
 * beforehand. Adam on the whole set: the same weights every time.
 */
export function train(samples: readonly Sample[], prior: Prior): Map<string, number> {
  const names = [...new Set([...prior.weights.keys(), ...samples.flatMap(({ features }) => [...features.keys()])])];
  const index = new Map(names.map((name, i) => [name, i]));
  const rows = samples.map(({ features, machine, offset = 0 }) => ({
    at: [...features].map(([name, value]) => [index.get(name)!, value] as const),
    target: machine ? 1 : 0,
    offset,
  }));
  const wanted = Float64Array.from(names, (name) => prior.weights.get(name) ?? 0);
  const weights = Float64Array.from(wanted);
  const strictness = Float64Array.from(names, (name) => prior.strictness(name));
  const mean = new Float64Array(names.length);
  const square = new Float64Array(names.length);
  for (let step = 1; step <= STEPS; step++) {
    const gradient = weights.map((weight, i) => (strictness[i]! * (weight - wanted[i]!)) / rows.length);
    for (const { at, target, offset } of rows) {
      const odds = at.reduce((sum, [i, value]) => sum + weights[i]! * value, offset);
      const error = (1 / (1 + Math.exp(-odds)) - target) / rows.length;
      for (const [i, value] of at) gradient[i]! += error * value;
    }
    for (let i = 0; i < weights.length; i++) {
      mean[i] = 0.9 * mean[i]! + 0.1 * gradient[i]!;
      square[i] = 0.999 * square[i]! + 0.001 * gradient[i]! ** 2;
      const fixed = mean[i]! / (1 - 0.9 ** step);
      weights[i]! -= (STEP * fixed) / (Math.sqrt(square[i]! / (1 - 0.999 ** step)) + 1e-8);
    }
  }
  return new Map(names.map((name, i) => [name, weights[i]!]));
}

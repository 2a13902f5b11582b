/** Who picks up, in words; all of it made up. `held` and `second` are for reporting only. */
export interface Greeting {
  readonly by: 'person' | 'machine';
  readonly kind: 'short' | 'name' | 'business' | 'machine' | 'menu';
  readonly text: string;
  readonly set: 'tuning' | 'held' | 'second';
}

export function greetings(
  set: Greeting['set'],
  by: Greeting['by'],
  kind: Greeting['kind'],
  texts: readonly string[],
): Greeting[] {
  return texts.map((text) => ({ by, kind, text, set }));
}

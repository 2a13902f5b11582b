import fc from 'fast-check';
import type { Slot } from '../../src/sentences/slots.ts';

/** A template source with the slots it names; words differ from each other, so that no two readings compete. */
export interface RandomTemplate {
  source: string;
  slots: Record<string, Slot>;
}

const WORDS =
  'lemon river candle marble pepper violin harbor saddle magnet ribbon walnut copper meadow pirate tunnel'.split(' ');

type Shape =
  | { kind: 'word' }
  | { kind: 'slot'; slot: Slot }
  | { kind: 'optional' | 'group' | 'permutation' | 'optionalGroup'; parts: Shape[][] };

const slot: fc.Arbitrary<Slot> = fc.oneof(
  fc.record({ kind: fc.constant('digits' as const), length: fc.constantFrom(4, 6) }),
  fc.nat(40).chain((min) => fc.nat(50).map((more) => ({ kind: 'number' as const, min, max: min + more }))),
  fc.constant<Slot>({
    kind: 'choice',
    options: [
      { value: 'a', phrases: ['apple', 'red apple'] },
      { value: 'b', phrases: ['banana'] },
    ],
  }),
);

const { parts } = fc.letrec<{ shape: Shape; parts: Shape[] }>((tie) => ({
  parts: fc.array(tie('shape'), { minLength: 1, maxLength: 3 }),
  shape: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant<Shape>({ kind: 'word' }),
    slot.map<Shape>((one) => ({ kind: 'slot', slot: one })),
    fc.record({
      kind: fc.constant('optional' as const),
      parts: fc.array(tie('parts'), { minLength: 1, maxLength: 1 }),
    }),
    fc.record({
      kind: fc.constantFrom('group' as const, 'permutation' as const, 'optionalGroup' as const),
      parts: fc.array(tie('parts'), { minLength: 2, maxLength: 2 }),
    }),
  ),
}));

/** Random templates of up to 15 different words. */
export const randomTemplate: fc.Arbitrary<RandomTemplate> = parts
  .map((shapes) => {
    const words = [...WORDS];
    const slots: Record<string, Slot> = {};
    const next = () => words.shift() ?? '';
    const write = (shape: Shape): string => {
      switch (shape.kind) {
        case 'word':
          return next();
        case 'slot': {
          const name = `slot_${Object.keys(slots).length}`;
          slots[name] = shape.slot;
          // Words on both sides keep numbers that follow each other apart.
          return `${next()} {${name}} ${next()}`;
        }
        case 'optional':
          return `[${all(shape.parts[0]!)}]`;
        case 'optionalGroup':
          return `[${shape.parts.map(all).join('|')}]`;
        case 'group':
          return `(${shape.parts.map(all).join('|')})`;
        case 'permutation':
          return `(${shape.parts.map(all).join(';')})`;
      }
    };
    const all = (sequence: Shape[]) => sequence.map(write).join(' ');
    return { source: `${next()} ${all(shapes)}`, slots, enough: words.length > 0 };
  })
  .filter(({ enough }) => enough);

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { newOrderedId, orderedIds } from '../../src/core/ordered-id.ts';

it('ids of what happened in one call sort as it happened, whatever the clock does', () => {
  const moments = fc.array(fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_003 }), { maxLength: 200 });
  fc.assert(
    fc.property(moments, (times) => {
      const next = orderedIds();
      const ids = times.map((at) => next(new Date(at)));
      expect([...ids].sort()).toEqual(ids);
      expect(new Set(ids).size).toBe(ids.length);
      for (const id of ids) expect(id).toMatch(/^018bcfe5-680\d-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    }),
  );
});

it('more ids than a millisecond has room for stay in order', () => {
  const next = orderedIds();
  const ids = Array.from({ length: 10_000 }, () => next(new Date(1_700_000_000_000)));
  expect([...ids].sort()).toEqual(ids);
});

it('rows of all calls of a process stand in the order in which they were begun', () => {
  const ids = Array.from({ length: 1000 }, newOrderedId);
  expect([...ids].sort()).toEqual(ids);
});

import { expect, test } from 'vitest';
import { float64s, int16s, int32s } from '../../src/media/call-memory.ts';

test('the arrays of calls are silent when they are given out, and no call writes into those of another', () => {
  const arrays = Array.from({ length: 300 }, (_, i) => {
    const length = 1 + ((i * 37) % 7000);
    return [int16s, int32s, float64s][i % 3]!(length);
  });
  for (const [i, array] of arrays.entries()) {
    expect(array).toHaveLength(1 + ((i * 37) % 7000));
    expect(array.every((value) => value === 0)).toBe(true);
    array.fill(i);
  }
  for (const [i, array] of arrays.entries()) expect(array.every((value) => value === i)).toBe(true);
});

test('what is asked for together lies together', () => {
  const buffers = new Set(Array.from({ length: 40 }, () => int16s(160).buffer));
  expect(buffers.size).toBeLessThanOrEqual(2);
});

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LegEnd } from '../../src/call/legs/call-leg.ts';
import { normaliseNumber } from '../../src/call/record/caller-number.ts';
import { causeOfLegEnd, END_CAUSES, statusOf } from '../../src/call/record/outcome.ts';

const DATA_PAGE = readFileSync(new URL('../../docs/data.md', import.meta.url), 'utf8');

describe('how a call ended', () => {
  it.each([
    [{ by: 'caller', how: 'bye' }, 'caller-hangup', 'COMPLETED'],
    [{ by: 'us', how: 'bye' }, 'bot-goodbye', 'COMPLETED'],
    [{ by: 'caller', how: 'cancel' }, 'caller-cancelled', 'INTERRUPTED'],
    [{ by: 'network', how: 'no-ack' }, 'no-ack', 'FAILED'],
    [{ by: 'network', how: 'transport' }, 'network-lost', 'INTERRUPTED'],
    [{ by: 'us', how: 'shutdown' }, 'process-shutdown', 'INTERRUPTED'],
  ] as [LegEnd, string, string][])('%j is %s, which counts as %s', (end, cause, status) => {
    expect(causeOfLegEnd(end)).toBe(cause);
    expect(statusOf(causeOfLegEnd(end))).toBe(status);
  });

  it('stands in the one table of the docs, with the same status', () => {
    for (const [cause, status] of Object.entries(END_CAUSES)) {
      const row = DATA_PAGE.split('\n').find((line) => line.startsWith('|') && line.includes(`\`${cause}\``));
      expect(row, `${cause} is missing in docs/data.md`).toBeDefined();
      expect(row).toContain(status);
    }
  });
});

describe('a caller’s number', () => {
  it.each([
    ['+15550100', '+15550100'],
    ['0015550100', '+15550100'],
    ['+1 (555) 01-00', '+15550100'],
    ['%2B15550100', '+15550100'],
    ['1001', '1001'],
    ['anonymous', ''],
    ['alice', ''],
    ['%zz', ''],
    [undefined, ''],
  ])('%s is kept as "%s"', (given, kept) => {
    expect(normaliseNumber(given)).toBe(kept);
  });

  it('is digits, perhaps behind a plus, or nothing, whatever is sent', () => {
    const anything = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(anything, (text) => {
        expect(normaliseNumber(text)).toMatch(/^(\+?\d{2,15})?$/);
      }),
    );
  });
});

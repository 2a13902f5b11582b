import { expect, test } from 'vitest';
import { factsOf } from '../../src/console/event-facts.ts';

const shown = (data: Record<string, unknown>) => factsOf(data).map(({ name, value }) => `${name}: ${value}`);

test('what an event tells is in one order, live and from the archive', () => {
  const live = shown({ from: 'sip:a@example.com', to: 'sip:bank@example.com' });
  expect(live).toEqual(['From: sip:a@example.com', 'To: sip:bank@example.com']);
  expect(shown({ to: 'sip:bank@example.com', from: 'sip:a@example.com' })).toEqual(live);
});

test('identifiers are left out, times are told with their unit', () => {
  const transactionId = 'f4df9dd2-0421-4221-af63-a42f22b0842c';
  expect(shown({ transactionId, action: 'block_card', outcome: 'POSTED', ms: 162.4, gapMs: 300 })).toEqual([
    'Action: block_card',
    'Gap: 300 ms',
    'Outcome: POSTED',
    'Took: 162 ms',
  ]);
});

test('what is told of the line is told in words too', () => {
  const quality = { callerMos: 4.37, callerBursts: { gapMs: 20.2 } };
  expect(shown({ codec: 'PCMU', quality })).toEqual([
    'Codec: PCMU',
    'Quality caller bursts gap: 20 ms',
    'Quality caller mos: 4.37',
  ]);
});

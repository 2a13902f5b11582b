import { expect, test } from 'vitest';
import { standingOf } from '../../src/console/components/transfer-box.tsx';

const events = (...told: [type: string, data: Record<string, unknown>][]) =>
  told.map(([type, data], i) => ({ type: `handover-${type}`, data, eventId: String(i), at: '' }));
const talk = [
  ['started', { handoverId: 'a' }],
  ['calling', { target: 'anna' }],
  ['connected', { target: 'anna' }],
] as [string, Record<string, unknown>][];
const passing = [...talk, ['started', { handoverId: 'b' }], ['calling', { target: 'ben' }]] as typeof talk;

test('the page says where a hand-over stands, also when the person passes the caller on', () => {
  expect(standingOf([])).toEqual({ underWay: false, words: '' });
  expect(standingOf(events(...talk))).toEqual({ underWay: true, words: 'anna talks to the caller.' });
  expect(standingOf(events(...passing))).toEqual({ underWay: true, words: 'Calling ben.' });
  const progress = (status: number) => events(...passing, ['progress', { target: 'ben', status }]);
  expect(standingOf(progress(100))).toEqual({ underWay: true, words: 'Calling ben.' });
  for (const status of [180, 183]) {
    expect(standingOf(progress(status))).toEqual({ underWay: true, words: 'ben’s telephone rings.' });
  }
  const failed = [
    ...passing,
    ['ended', { handoverId: 'b', outcome: 'nobody' }],
    ['passed-on', { to: 'ben', reached: false }],
  ];
  expect(standingOf(events(...(failed as typeof talk)))).toMatchObject({ underWay: true });
  const left = [...failed, ['ended', { handoverId: 'a', outcome: 'nobody' }]] as typeof talk;
  expect(standingOf(events(...left))).toEqual({ underWay: false, words: 'The last transfer: nobody.' });
  const reached = [
    ...passing,
    ['connected', { target: 'ben' }],
    ['passed-on', { to: 'ben', reached: true }],
    ['ended', { handoverId: 'a', outcome: 'passed-on' }],
  ] as typeof talk;
  expect(standingOf(events(...reached))).toEqual({ underWay: true, words: 'ben talks to the caller.' });
  const over = [...reached, ['ended', { handoverId: 'b', outcome: 'finished' }]] as typeof talk;
  expect(standingOf(events(...over))).toEqual({ underWay: false, words: 'The last transfer: finished.' });
});

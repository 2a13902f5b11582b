import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Moment, TimedPause } from '../../scripts/eval/play/moment.ts';
import { whatIsWrong } from '../../scripts/eval/score/outcome.ts';
import { scoreInterruption, scoreListening, scoreSound } from '../../scripts/eval/score/overlap.ts';
import type { CallRecord, UtteranceRow } from '../../scripts/eval/score/record.ts';
import { pauseTrials, scoreReply } from '../../scripts/eval/score/reply.ts';
import { groupBy, latencyOf, shareOf } from '../../scripts/eval/score/statistics.ts';

/** Packets with sound every 20 ms from one time to another. */
const talk = (from: number, to: number): number[] => {
  const packets = [];
  for (let at = from; at <= to; at += 20) packets.push(at);
  return packets;
};
const pause = (ms: number, from: number): TimedPause => ({ ms, site: 'open', from, to: from + ms });
const turn = (startedAt: number, endedAt: number, pauses: TimedPause[] = []): Moment => ({
  kind: 'turn',
  text: 'words',
  startedAt,
  endedAt,
  pauses,
  tags: {},
});
const WALL = 1_700_000_000_000;
const toWall = (at: number) => WALL + at;
const iso = (at: number) => new Date(toWall(at)).toISOString();
const bot = (from: number, to: number, interrupted = false): UtteranceRow => ({
  speaker: 'assistant',
  text: 'a long answer',
  heard: interrupted ? 'a long' : 'a long answer',
  interrupted,
  startedAt: iso(from),
  endedAt: iso(to),
});
const record = (rows: Partial<CallRecord>): CallRecord => ({
  session: { sessionId: 's', status: 'COMPLETED' },
  utterances: [],
  transactions: [],
  events: [],
  ...rows,
});

describe('an answer', () => {
  it('is timed from the last voiced window to the first sound', () => {
    expect(scoreReply(turn(1000, 2000), talk(2310, 4000), 6000)).toEqual({
      replyMs: 310,
      missed: false,
      cutOff: undefined,
      bargeInToSilenceMs: undefined,
    });
  });

  it('that begins in a pause of the sentence is a false cut-off, and not a quick answer', () => {
    const moment = turn(1000, 3000, [pause(200, 1400), pause(700, 2000)]);
    const score = scoreReply(moment, talk(2450, 4000), 6000);
    expect(score.cutOff).toEqual({ pause: moment.pauses[1], afterMs: 450 });
    expect(score.replyMs).toBeUndefined();
    expect(score.missed).toBe(false);
    expect(pauseTrials(moment, score.cutOff)).toEqual([
      { ms: 200, site: 'open', cut: false },
      { ms: 700, site: 'open', cut: true },
    ]);
  });

  it('that was decided too early but never sounded cuts nobody off', () => {
    const moment = turn(1000, 3000, [pause(700, 2000)]);
    const score = scoreReply(moment, talk(3280, 4000), 6000);
    expect(score).toMatchObject({ replyMs: 280, cutOff: undefined });
    expect(pauseTrials(moment, score.cutOff)).toEqual([{ ms: 700, site: 'open', cut: false }]);
  });

  it('that cuts off leaves the later pauses untried', () => {
    const moment = turn(0, 4000, [pause(300, 1000), pause(500, 2000), pause(700, 3000)]);
    const { cutOff } = scoreReply(moment, talk(1250, 5000), 6000);
    expect(pauseTrials(moment, cutOff)).toEqual([{ ms: 300, site: 'open', cut: true }]);
  });

  it('that never comes is missed, and one to the next turn does not count for it', () => {
    expect(scoreReply(turn(1000, 2000), talk(100, 800), 6000).missed).toBe(true);
    expect(scoreReply(turn(1000, 2000), talk(6100, 7000), 6000).missed).toBe(true);
  });

  it('is not made early by the tail of what the bot was saying when it was interrupted', () => {
    const score = scoreReply(turn(1000, 2000), [...talk(0, 1120), ...talk(2400, 3000)], 6000);
    expect(score).toMatchObject({ replyMs: 400, cutOff: undefined, bargeInToSilenceMs: 120 });
  });

  it('is found wherever the pause and the answer lie', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 1500 }), fc.integer({ min: 0, max: 3000 }), (ms, after) => {
        const moment = turn(0, 1000 + ms + 800, [pause(ms, 1000)]);
        const { cutOff } = scoreReply(moment, talk(1000 + after, 6000), 9000);
        expect(cutOff !== undefined).toBe(after <= ms + 800);
      }),
    );
  });
});

describe('a backchannel', () => {
  const mhm: Moment = { ...turn(3000, 3300), kind: 'sound', text: 'mhm' };

  it('after which the bot says the rest is recognised as resumed, with the pause it cost', () => {
    const sound = [...talk(1000, 3060), ...talk(3500, 9000)];
    const said = record({ utterances: [bot(900, 9000)] });
    expect(scoreSound(mhm, sound, said, toWall)).toMatchObject({ tried: true, resumed: true, pausedMs: 440 });
  });

  it('through which the bot speaks costs no pause', () => {
    expect(scoreSound(mhm, talk(1000, 9000), record({ utterances: [bot(900, 9000)] }), toWall)).toMatchObject({
      resumed: true,
      pausedMs: 0,
    });
  });

  it('that silences the bot is a wrong decision', () => {
    const said = record({ utterances: [bot(900, 3060, true)] });
    expect(scoreSound(mhm, talk(1000, 3060), said, toWall)).toMatchObject({
      resumed: false,
      why: 'the bot fell silent',
    });
  });

  it('that the bot answers with other words is a wrong decision, though sound goes on', () => {
    const sound = [...talk(1000, 3060), ...talk(3900, 6000)];
    const said = record({ utterances: [bot(900, 3060, true), bot(3850, 6000)] });
    expect(scoreSound(mhm, sound, said, toWall)).toMatchObject({ resumed: false, why: 'taken as an interruption' });
  });

  it('is not blamed for an interruption long after it', () => {
    const said = record({ utterances: [bot(900, 7000, true)] });
    expect(scoreSound(mhm, talk(1000, 7000), said, toWall).resumed).toBe(true);
  });

  it('that may be the answer to what the bot asks tries nothing', () => {
    const asking = { ...bot(900, 9000), text: 'There. Shall I go on?' };
    const said = record({ utterances: [asking] });
    expect(scoreSound({ ...mhm, text: 'yes' }, talk(1000, 9000), said, toWall).tried).toBe(false);
    expect(scoreSound(mhm, talk(1000, 9000), said, toWall).tried).toBe(true);
    const yes = { ...mhm, text: 'yes' };
    const long = 'A hundred dollars to one, and fifty to another. Shall I go on?';
    for (const text of [long, 'There. What else can I do for you?']) {
      const telling = record({ utterances: [{ ...asking, text }] });
      expect(scoreSound(yes, talk(1000, 9000), telling, toWall).tried).toBe(true);
    }
  });

  it('at the very end of what the bot says tries nothing', () => {
    const said = record({ utterances: [bot(900, 3200)] });
    expect(scoreSound(mhm, talk(1000, 3200), said, toWall).tried).toBe(false);
  });

  it('while the bot is silent tries nothing', () => {
    expect(scoreSound(mhm, talk(1000, 2000), record({}), toWall).tried).toBe(false);
  });
});

describe('an interruption', () => {
  const stop: Moment = { ...turn(3000, 3400), kind: 'interruption', text: 'stop', wants: 'quiet' };

  it('is honoured when the bot is silent within 500 ms, leaves its sentence and serves the request', () => {
    const said = record({ utterances: [bot(900, 3090, true)] });
    const sound = [...talk(1000, 3090), ...talk(3700, 5000)];
    expect(scoreInterruption(stop, sound, said, toWall, undefined)).toMatchObject({ honoured: true, silenceMs: 80 });
    expect(scoreInterruption(stop, sound, said, toWall, false)).toMatchObject({ honoured: false });
  });

  it('is not honoured by a bot that talks on, or that goes on with the same answer', () => {
    const on = record({ utterances: [bot(900, 9000)] });
    expect(scoreInterruption(stop, talk(1000, 9000), on, toWall, undefined).why).toMatch(/spoke on/);
    const back = [...talk(1000, 3090), ...talk(3700, 9000)];
    expect(scoreInterruption(stop, back, on, toWall, undefined).why).toBe('went on with its answer');
  });
});

describe('a caller who only listens', () => {
  const span = { from: toWall(0), to: toWall(9000) };
  it('hears the whole answer, or the bot has interrupted itself', () => {
    expect(scoreListening(record({ utterances: [bot(900, 8000)] }), span)).toMatchObject({ whole: true, ghosts: [] });
    const ghost: UtteranceRow = { ...bot(2900, 3100), speaker: 'caller', text: 'stop' };
    const broken = record({ utterances: [bot(900, 3000, true), ghost, bot(3500, 5000)] });
    expect(scoreListening(broken, span)).toMatchObject({ whole: false, ghosts: ['stop'] });
  });
});

describe('the outcome of a turn', () => {
  const span = { from: toWall(0), to: toWall(5000) };
  const row = (transactionType: string, at: number) => ({
    transactionType,
    outcome: 'POSTED',
    authenticationStatus: 'VERIFIED',
    customerId: '471920',
    createdAt: iso(at),
  });

  it('is right when the ledger has what was asked for, in this turn and for this customer', () => {
    const expected = { transactions: [{ type: 'BALANCE_CHECK', outcome: 'POSTED' as const, customerId: '471920' }] };
    expect(whatIsWrong(expected, record({ transactions: [row('BALANCE_CHECK', 700)] }), span)).toBeUndefined();
    expect(whatIsWrong(expected, record({ transactions: [row('BALANCE_CHECK', 7000)] }), span)).toMatch(/no BALANCE/);
    expect(whatIsWrong(expected, record({ transactions: [row('CARD_INQUIRY', 700)] }), span)).toMatch(/no BALANCE/);
  });

  it('is wrong when something was done that nobody asked for', () => {
    const done = record({ transactions: [row('CARD_BLOCK', 700)] });
    expect(whatIsWrong({ never: ['CARD_BLOCK'] }, done, span)).toBe('CARD_BLOCK in the ledger');
  });
});

describe('the statistics', () => {
  it('count replies that never came beside the percentiles', () => {
    const rows = [...Array.from({ length: 99 }, (_, i) => ({ replyMs: i + 1, missed: false })), { missed: true }];
    expect(latencyOf(rows)).toMatchObject({ n: 99, missed: 1, p50: 50, p95: 95, max: 99 });
    expect(latencyOf([])).toMatchObject({ n: 0, missed: 0 });
  });

  it('say how little a few trials tell', () => {
    const all = shareOf(10, 10);
    expect(all.percent).toBe(100);
    expect(all.low).toBeCloseTo(72.2, 0);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(500), (n, hits) => {
        const { percent, low, high } = shareOf(Math.min(hits, n), n);
        expect(low!).toBeLessThanOrEqual(percent! + 1e-9);
        expect(high!).toBeGreaterThanOrEqual(percent! - 1e-9);
      }),
    );
    expect(shareOf(0, 0).percent).toBeUndefined();
  });

  it('group without losing anything', () => {
    const groups = groupBy([1, 2, 3, 4, 5], (n) => (n % 2 ? 'odd' : 'even'));
    expect([...groups]).toEqual([
      ['odd', [1, 3, 5]],
      ['even', [2, 4]],
    ]);
  });
});

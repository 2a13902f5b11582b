import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LegKeys } from '../../src/call/legs/leg-keys.ts';
import { KeptKeys } from '../../src/call/people/key-exchange.ts';

describe('the keys of one leg', () => {
  let downs: string;
  let ups: string[];
  let keys: LegKeys;
  beforeEach(() => {
    downs = '';
    ups = [];
    keys = new LegKeys({
      down: ({ digit }) => {
        downs += digit;
      },
      up: (digit, ms) => ups.push(`${digit} ${ms}`),
    });
  });
  const event = (digit: string, at: number) => {
    keys.byMedia({ type: 'dtmf', at, digit, durationMs: 20 });
    keys.byMedia({ type: 'dtmf-end', at: at + 100, digit, durationMs: 120 });
  };
  const tone = (digit: string, at: number) => {
    keys.byMedia({ type: 'dtmf', at, digit, durationMs: 40, tone: true });
    keys.byMedia({ type: 'dtmf-end', at: at + 100, digit, durationMs: 100, tone: true });
  };

  test('as events: pressed at once, let go with how long that was', () => {
    event('5', 0);
    expect([downs, ups]).toEqual(['5', ['5 120']]);
  });

  test('as tones they count, and are in the audio already for whoever hears it', () => {
    tone('1', 0);
    tone('1', 300);
    expect([downs, ups]).toEqual(['11', []]);
  });

  test('by INFO they count once, also where the tone is in the audio as well', () => {
    keys.bySignalling('7', 250, 0);
    expect([downs, ups]).toEqual(['7', ['7 250']]);
    const other: string[] = [];
    const both = new LegKeys({ down: ({ digit }) => other.push(digit), up: (digit) => other.push(`pass ${digit}`) });
    for (const at of [0, 400, 800]) {
      both.byMedia({ type: 'dtmf', at, digit: '7', durationMs: 40, tone: true });
      both.bySignalling('7', 100, at + 120);
    }
    expect(other).toEqual(['7', '7', '7']);
  });
});

describe('keys an agent presses in the talk', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const through = (recall: string) => {
    const out: string[] = [];
    const kept = new KeptKeys(recall, (digit) => out.push(digit));
    const press = (keys: string) => {
      for (const key of keys) kept.push(key, 100);
    };
    return { out, press, kept };
  };

  test('reach the caller in order, but for those that give the caller back', () => {
    const { out, press } = through('*9');
    press('12*');
    expect(out.join('')).toBe('12');
    press('3');
    expect(out.join('')).toBe('12*3');
    press('**9');
    expect(out.join('')).toBe('12*3*');
  });

  test('what only began like those is kept for two seconds, not for ever', () => {
    const { out, press, kept } = through('*9');
    press('*');
    vi.advanceTimersByTime(1_900);
    expect(out.join('')).toBe('');
    vi.advanceTimersByTime(200);
    expect(out.join('')).toBe('*');
    press('*');
    kept.drop();
    vi.advanceTimersByTime(5_000);
    expect(out.join('')).toBe('*');
  });
});

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { aggregate } from '../../scripts/eval/report/figures.ts';
import { htmlReport } from '../../scripts/eval/report/html.ts';
import { deltaOf, findEarlier, type Report } from '../../scripts/eval/report/report.ts';
import { terminalReport } from '../../scripts/eval/report/table.ts';
import type { ScoredCall, ScoredMoment } from '../../scripts/eval/score/score-call.ts';

const moment = (rest: Partial<ScoredMoment>): ScoredMoment => ({
  variant: 'adaptive',
  section: 'latency',
  conversation: 'latency-01',
  index: 0,
  kind: 'turn',
  text: 'words',
  tags: { voice: 'rms', rate: 1 },
  atMs: 0,
  spokeMs: 900,
  pauses: [],
  understood: [],
  said: [],
  heardTwice: [],
  ...rest,
});
const call = (moments: ScoredMoment[], rest: Partial<ScoredCall> = {}): ScoredCall => ({
  conversation: 'latency-01',
  section: 'latency',
  variant: 'adaptive',
  tags: {},
  unplayed: 0,
  transcript: [],
  moments,
  ...rest,
});
const report = (calls: ScoredCall[], startedAt = '2026-01-02T03:04:05.000Z'): Report => ({
  format: 1,
  startedAt,
  tookMs: 60_000,
  options: { quick: true, seed: 1 },
  machine: { cores: 2, loadAverage: [0.5] },
  leftOut: 0,
  aggregate: aggregate(calls),
  calls,
});
const paused = (ms: number, cut: boolean, variant: string) =>
  moment({ section: 'pauses', variant, replyMs: cut ? undefined : 320, pauses: [{ ms, site: 'open', cut }] });
const calls = [
  call([
    moment({ replyMs: 250, right: true }),
    moment({ replyMs: 350, right: true }),
    moment({ missed: true, right: false, wrong: 'no <b>' }),
  ]),
  call([paused(500, false, 'adaptive'), paused(700, true, 'adaptive'), paused(1500, true, 'adaptive')], {
    section: 'pauses',
  }),
  call([paused(500, true, 'fixed 300')], { section: 'pauses', variant: 'fixed 300' }),
];
const figure = (id: string) => aggregate(calls).figures.find((each) => each.id === id)!;

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

describe('the figures', () => {
  it('stand beside their targets', () => {
    expect(figure('v2v-p50')).toMatchObject({ value: 250, n: 2, reached: true });
    expect(figure('missed')).toMatchObject({ value: 1, reached: false });
    expect(figure('cutoffs-700')).toMatchObject({ value: 50, n: 2, reached: false });
    expect(figure('cutoffs-700 fixed 300')).toMatchObject({ value: 100, n: 1, reached: undefined });
    expect(figure('outcome-clean').value).toBeCloseTo(66.7, 1);
  });

  it('that nothing was played for are neither reached nor missed', () => {
    expect(figure('load-p95')).toMatchObject({ value: undefined, reached: undefined });
  });

  it('are compared with the latest run of the same corpus', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'eval-'));
    folders.push(folder);
    const write = async (name: string, content: string) => {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'report.json'), content);
    };
    await write('2026-01-01', JSON.stringify(report([call([moment({ replyMs: 900 })])])));
    await write('2026-01-02', JSON.stringify(report([call([moment({ replyMs: 400 })])])));
    await write('2026-01-03', JSON.stringify({ ...report([]), options: { quick: false } }));
    await write('2026-01-04', 'not a report');
    const earlier = await findEarlier(join(folder, '2026-01-05'), (options) => options.quick === true);
    expect(earlier?.path).toContain('2026-01-02');
    expect(deltaOf('v2v-p50', 250, earlier)).toBe(-150);
    expect(deltaOf('load-p95', 250, earlier)).toBeUndefined();
    expect(terminalReport(aggregate(calls), earlier)).toMatch(/Voice-to-voice p50.*reached.*-150/);
  });
});

describe('the page', () => {
  it('needs nothing from elsewhere and shows what was said as text', () => {
    const page = htmlReport(report(calls), undefined, new Map([['latency-01 adaptive', 'audio/latency-01.wav']]));
    expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(page).not.toMatch(/<script|<link|@import/);
    expect(page).toContain('no &lt;b&gt;');
    expect(page).toContain('prefers-color-scheme:dark');
    expect(page).toContain('src="audio/latency-01.wav"');
    expect(page).not.toMatch(/NaN|undefined/);
  });
});

import { BASELINES, OURS } from '../play/variants.ts';
import type { ScoredCall, ScoredMoment } from '../score/score-call.ts';
import type { Aggregate, CutOffRow } from './figures.ts';
import { keyOf, wentWrong } from './recordings.ts';
import type { Earlier, Report } from './report.ts';
import { STYLE } from './style.ts';
import { barPlot, cumulative, escaped, linePlot, type Series } from './svg.ts';
import { deltaText, targetText, value } from './table.ts';

const COLOUR = new Map<string, Series['colour']>(
  [OURS, ...BASELINES].map((name, i) => [name, (i + 1) as Series['colour']]),
);
const colourOf = (variant: string) => COLOUR.get(variant) ?? 3;
const titleOf = (variant: string) => (variant === OURS ? 'this connector' : `${variant} ms`);

/** The whole report as one file that needs nothing else; recordings beside it are linked. */
export function htmlReport(report: Report, earlier: Earlier | undefined, audio: ReadonlyMap<string, string>): string {
  const { aggregate, calls } = report;
  const when = report.startedAt.slice(0, 16).replace('T', ' ');
  const facts = [
    `${calls.length} calls`,
    `${calls.reduce((sum, call) => sum + call.moments.length, 0)} moments`,
    `${Math.round(report.tookMs / 60_000)} min`,
    report.options.quick ? 'quick' : 'full',
    `seed ${report.options.seed}`,
    `${report.machine.cores} cores`,
    `load ${(report.machine.loadAverage as number[] | undefined)?.[0]?.toFixed(1)}`,
    earlier ? `compared with ${earlier.startedAt.slice(0, 16).replace('T', ' ')}` : 'nothing to compare with',
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Turn taking, ${when}</title><style>${STYLE}</style></head><body>
<header><h1>Turn taking on the proving ground</h1><p>${escaped(`${when} UTC · ${facts.join(' · ')}`)}</p></header>
<main>
<section><h2>Figures and targets</h2>${figureTable(aggregate, earlier)}</section>
<section><h2>Waiting and answering</h2><div class="plots">${waitingPlots(aggregate, calls)}</div>${latencyTable(aggregate)}</section>
<section><h2>Speaking at the same time</h2><div class="plots">${overlapPlots(aggregate, calls)}</div>${listeningTable(aggregate)}</section>
<section><h2>What came of it</h2><div class="plots">${outcomePlots(aggregate)}</div></section>
<section><h2>What went wrong</h2>${failures(calls, audio)}</section>
</main></body></html>
`;
}

function figureTable({ figures }: Aggregate, earlier: Earlier | undefined): string {
  const rows = figures.map((figure) => {
    const verdict = figure.reached === undefined ? '' : figure.reached ? 'reached' : 'missed';
    const interval = figure.interval
      ? ` <small>${figure.interval.map((edge) => edge.toFixed(0)).join('–')} %</small>`
      : '';
    return `<tr><th scope="row">${escaped(figure.title)}</th><td class="num">${value(figure)}${interval}</td><td class="num">${figure.n}</td><td class="num">${escaped(targetText(figure))}</td><td><span class="${verdict}">${verdict}</span></td><td class="num">${escaped(deltaText(figure, earlier))}</td></tr>`;
  });
  return table(['Figure', 'Value', 'n', 'Target', '', earlier ? 'Since before' : ''], rows);
}

function table(head: readonly string[], rows: readonly string[]): string {
  const cells = head.map((title, i) => `<th scope="col"${i > 0 ? ' class="num"' : ''}>${title}</th>`).join('');
  return `<div class="scroll"><table><thead><tr>${cells}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function waitingPlots({ cutOffs, tradeOff }: Aggregate, calls: readonly ScoredCall[]): string {
  const sites: readonly (readonly [string, readonly string[]])[] = [
    ['Cut off inside a sentence', ['open']],
    ['Cut off inside a customer number or PIN', ['number', 'pin']],
    ['Cut off where the words could have been all', ['whole']],
  ];
  const pausePlots = sites.map(([title, names]) =>
    cutOffPlot(
      title,
      cutOffs.filter((row) => names.includes(row.site)),
    ),
  );
  const answers = calls
    .flatMap((call) => call.moments)
    .filter((row) => row.kind === 'turn' && row.replyMs !== undefined);
  const perVariant = [OURS, ...BASELINES].map((variant) => ({
    name: titleOf(variant),
    colour: colourOf(variant),
    steps: true,
    points: cumulative(
      answers
        .filter((row) => row.variant === variant && (row.section === 'latency' || row.pauses.length > 0))
        .map((row) => row.replyMs!),
    ),
  }));
  const latency = linePlot(
    'Voice-to-voice: share of answers that had begun',
    { title: 'ms after the last word', min: 0, max: 1500, ticks: [0, 300, 550, 1000, 1500] },
    { title: '', min: 0, max: 100, ticks: [0, 50, 95], suffix: ' %' },
    perVariant.filter(({ points }) => points.length > 0),
  );
  const points = tradeOff.filter((row) => row.latency.p50 !== undefined);
  const trade = linePlot(
    'Quick or patient: answers p50 against cut-offs in pauses up to 700 ms',
    { title: 'voice-to-voice p50, ms', min: 0, max: 1200, ticks: [0, 300, 600, 900, 1200] },
    { title: 'cut off', min: 0, max: 100, ticks: [0, 25, 50, 75, 100], suffix: ' %' },
    points.map(({ variant, latency: { p50 }, cut }) => ({
      name: titleOf(variant),
      colour: colourOf(variant),
      points: [[p50!, cut.percent ?? 0]],
    })),
    {
      dots: true,
      marks: [
        { axis: 'y', at: 5, text: 'target 5 %' },
        { axis: 'x', at: 300, text: 'target' },
      ],
    },
  );
  return [...pausePlots, points.length > 0 ? trade : '', answers.length > 0 ? latency : ''].join('');
}

function cutOffPlot(title: string, rows: readonly CutOffRow[]): string {
  if (rows.length === 0) return '';
  const lengths = [...new Set(rows.map((row) => row.pauseMs))].sort((a, b) => a - b);
  const series = [...new Set(rows.map((row) => row.variant))].map((variant) => ({
    name: titleOf(variant),
    colour: colourOf(variant),
    points: lengths.flatMap((length): [number, number][] => {
      const met = rows.filter((row) => row.variant === variant && row.pauseMs === length);
      const n = met.reduce((sum, row) => sum + row.cut.n, 0);
      return n === 0 ? [] : [[length, (100 * met.reduce((sum, row) => sum + row.cut.hits, 0)) / n]];
    }),
  }));
  return linePlot(
    title,
    { title: 'length of the pause, ms', min: 0, max: 1600, ticks: lengths.filter((length) => length !== 200) },
    { title: 'cut off', min: 0, max: 100, ticks: [0, 25, 50, 75, 100], suffix: ' %' },
    series,
    { marks: [{ axis: 'y', at: 5, text: '' }] },
  );
}

function overlapPlots({ sounds, interruptions }: Aggregate, calls: readonly ScoredCall[]): string {
  const silences = calls
    .flatMap((call) => call.moments)
    .filter((row) => row.variant === OURS && row.interruption?.tried && row.interruption.silenceMs !== undefined)
    .map((row) => row.interruption!.silenceMs!);
  const bargeIn = linePlot(
    'Barge-in to silence: share of interruptions',
    { title: 'ms after the caller’s first voiced window', min: 0, max: 300, ticks: [0, 80, 120, 200, 300] },
    { title: '', min: 0, max: 100, ticks: [0, 50, 95], suffix: ' %' },
    [{ name: titleOf(OURS), colour: 1, steps: true, points: cumulative(silences) }],
    {
      marks: [
        { axis: 'x', at: 80, text: 'p50' },
        { axis: 'x', at: 120, text: 'p95' },
      ],
    },
  );
  const bars = (rows: Aggregate['outcomes']) =>
    rows.map((row) => ({ name: row.name, percent: row.percent ?? 0, text: `${row.hits} of ${row.n}` }));
  return [
    sounds.length > 0 ? barPlot('Backchannels and noises: the bot went on', bars(sounds), 95) : '',
    interruptions.length > 0 ? barPlot('Real interruptions: stopped in time and served', bars(interruptions), 98) : '',
    silences.length > 0 ? bargeIn : '',
  ].join('');
}

function outcomePlots({ outcomes }: Aggregate): string {
  const bars = outcomes.map((row) => ({ name: row.name, percent: row.percent ?? 0, text: `${row.hits} of ${row.n}` }));
  const voices = bars.filter(({ name }) => name.startsWith('voice '));
  const others = bars.filter(({ name }) => !name.startsWith('voice '));
  return [
    others.length > 0 ? barPlot('Turns that did what the caller asked', others) : '',
    voices.length > 0 ? barPlot('The same by voice', voices) : '',
  ].join('');
}

function latencyTable({ latencies }: Aggregate): string {
  const ms = (number: number | undefined) => (number === undefined ? '' : String(Math.round(number)));
  const rows = latencies.map(
    (row) =>
      `<tr><th scope="row">${escaped(row.name)}</th>${[row.n, row.missed, ms(row.p50), ms(row.p95), ms(row.max)].map((cell) => `<td class="num">${cell}</td>`).join('')}</tr>`,
  );
  return `<details open><summary>Voice-to-voice by condition</summary>${table(['', 'n', 'missed', 'p50', 'p95', 'max'], rows)}</details>`;
}

function listeningTable({ listening }: Aggregate): string {
  if (listening.length === 0) return '';
  const rows = listening.map(
    (row) =>
      `<tr><th scope="row">${escaped(row.name)}</th><td>${row.whole ? '<span class="reached">to its end</span>' : '<span class="missed">interrupted itself</span>'}</td><td class="num">${row.ghosts}</td><td class="num">${row.falsePauses}</td></tr>`,
  );
  return `<h3>Only listening, on a speakerphone</h3>${table(['Answer', 'Heard', 'Ghost requests', 'Pauses for nothing'], rows)}`;
}

function failures(calls: readonly ScoredCall[], audio: ReadonlyMap<string, string>): string {
  const shown = calls.filter(
    (call) => call.variant === OURS && (call.trouble !== undefined || call.moments.some(wentWrong)),
  );
  if (shown.length === 0) return '<p>Nothing.</p>';
  return shown
    .map((call) => {
      const wrong = call.moments.filter(wentWrong);
      const file = audio.get(keyOf(call));
      const tags = Object.entries(call.tags).map(([name, text]) => `${name} ${text}`);
      return `<details class="call"><summary><b>${escaped(call.conversation)}</b> ${escaped(tags.join(', '))} · ${wrong.length} of ${call.moments.length}${call.trouble ? ` · ${escaped(call.trouble)}` : ''}</summary>
${file ? `<audio controls preload="none" src="${escaped(file)}"></audio>` : ''}
<ul>${wrong.map((row) => `<li>${describe(row)}</li>`).join('')}</ul>
<ol class="transcript">${call.transcript.map((row) => `<li class="${escaped(row.speaker)}"><span>${(row.at / 1000).toFixed(1)} s</span> ${escaped(row.speaker === 'caller' ? row.text : row.heard)}${row.interrupted ? ' —' : ''}</li>`).join('')}</ol></details>`;
    })
    .join('');
}

function describe(row: ScoredMoment): string {
  const causes = [
    row.cutOff &&
      `cut off ${row.cutOff.afterMs} ms into ${row.cutOff.pauseMs === undefined ? 'the turn' : `a pause of ${row.cutOff.pauseMs} ms`}`,
    row.missed && 'never answered',
    row.wrong,
    row.sound && !row.sound.resumed && row.sound.tried && row.sound.why,
    row.interruption && !row.interruption.honoured && row.interruption.tried && row.interruption.why,
    row.listening &&
      !row.listening.whole &&
      `interrupted itself, believed to hear ${JSON.stringify(row.listening.ghosts)}`,
  ].filter((text) => typeof text === 'string');
  const understood = row.understood.length > 0 ? `; understood “${row.understood.join(' / ')}”` : '';
  return escaped(`${(row.atMs / 1000).toFixed(1)} s ${row.kind} “${row.text}”: ${causes.join('; ')}${understood}`);
}

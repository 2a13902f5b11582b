import type { Aggregate, Figure } from './figures.ts';
import { deltaOf, type Earlier } from './report.ts';

/** The report for the terminal. */
export function terminalReport(aggregate: Aggregate, earlier: Earlier | undefined): string {
  const parts = [
    table(
      ['figure', 'value', 'n', 'target', '', earlier ? 'before' : ''],
      aggregate.figures.map((each) => [
        each.title,
        value(each) + (each.interval ? ` (${each.interval.map((edge) => edge.toFixed(0)).join('-')})` : ''),
        String(each.n),
        targetText(each),
        each.reached === undefined ? '' : each.reached ? 'reached' : 'MISSED',
        deltaText(each, earlier),
      ]),
    ),
    table(
      ['voice-to-voice, ms', 'n', 'missed', 'p50', 'p95', 'max'],
      aggregate.latencies.map((row) => [
        row.name,
        String(row.n),
        String(row.missed),
        ms(row.p50),
        ms(row.p95),
        ms(row.max),
      ]),
    ),
    cutOffTable(aggregate),
    table(
      ['trade-off', 'p50', 'p95', 'cut off up to 700 ms'],
      aggregate.tradeOff.map((row) => [
        row.variant,
        ms(row.latency.p50),
        ms(row.latency.p95),
        `${row.cut.hits} of ${row.cut.n}`,
      ]),
    ),
    table(
      ['over the bot', 'went on', 'paused p50'],
      aggregate.sounds.map((row) => [row.name, `${row.hits} of ${row.n}`, ms(row.pausedP50)]),
    ),
    table(
      ['interruption', 'honoured', 'silence p50'],
      aggregate.interruptions.map((row) => [row.name, `${row.hits} of ${row.n}`, ms(row.silenceP50)]),
    ),
    table(
      ['only listening', 'heard to its end', 'ghosts', 'false pauses'],
      aggregate.listening.map((row) => [
        row.name,
        row.whole ? 'yes' : 'no',
        String(row.ghosts),
        String(row.falsePauses),
      ]),
    ),
    table(
      ['outcome', 'right'],
      aggregate.outcomes.map((row) => [row.name, `${row.hits} of ${row.n}`]),
    ),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

export function targetText({ target, unit }: Figure): string {
  const suffix = unit === '' ? '' : ` ${unit}`;
  if (target?.atMost !== undefined) return `<= ${target.atMost}${suffix}`;
  return target?.atLeast === undefined ? '' : `>= ${target.atLeast}${suffix}`;
}

export function value({ value: number, unit }: Figure): string {
  if (number === undefined) return '-';
  return unit === '%' ? `${number.toFixed(1)} %` : unit === 'ms' ? `${Math.round(number)} ms` : String(number);
}

export function deltaText(figure: Figure, earlier: Earlier | undefined): string {
  const delta = deltaOf(figure.id, figure.value, earlier);
  if (delta === undefined) return '';
  const rounded = figure.unit === '%' ? delta.toFixed(1) : String(Math.round(delta));
  return Number(rounded) === 0 ? '=' : `${delta > 0 ? '+' : ''}${rounded}`;
}

/** One line per site and variant, one column per pause. */
function cutOffTable({ cutOffs }: Aggregate): string {
  const lengths = [...new Set(cutOffs.map((row) => row.pauseMs))].sort((a, b) => a - b);
  const lines = [...new Set(cutOffs.map((row) => `${row.site}|${row.variant}`))];
  return table(
    ['cut off in a pause of', ...lengths.map((length) => `${length} ms`)],
    lines.map((line) => [
      line.replace('|', ', '),
      ...lengths.map((length) => {
        const row = cutOffs.find((each) => `${each.site}|${each.variant}` === line && each.pauseMs === length);
        return row ? `${row.cut.hits} of ${row.cut.n}` : '';
      }),
    ]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

const ms = (number: number | undefined) => (number === undefined ? '' : String(Math.round(number)));

/** Small inline plots; colours are classes of the page's style sheet, so that they follow light and dark. */

export interface Series {
  readonly name: string;
  /** Class s1, s2 or s3. */
  readonly colour: 1 | 2 | 3;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Drawn as a stair instead of straight lines with dots. */
  readonly steps?: boolean;
}

export interface Axis {
  readonly title: string;
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
  readonly suffix?: string;
}

export interface Mark {
  /** A dotted line at this value of the axis, with a word. */
  readonly at: number;
  readonly axis: 'x' | 'y';
  readonly text: string;
}

const WIDTH = 520;
const HEIGHT = 260;
const LEFT = 52;
const RIGHT = 16;
const TOP = 14;
const BOTTOM = 44;

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

const at = (value: number) => value.toFixed(1);

/** Lines over two axes; with `dots` only points, each with its label. */
export function linePlot(
  title: string,
  x: Axis,
  y: Axis,
  series: readonly Series[],
  options: { marks?: readonly Mark[]; dots?: boolean } = {},
): string {
  const px = (value: number) =>
    LEFT + ((Math.min(x.max, Math.max(x.min, value)) - x.min) / (x.max - x.min || 1)) * (WIDTH - LEFT - RIGHT);
  const py = (value: number) =>
    HEIGHT -
    BOTTOM -
    ((Math.min(y.max, Math.max(y.min, value)) - y.min) / (y.max - y.min || 1)) * (HEIGHT - TOP - BOTTOM);
  const grid = [
    ...y.ticks.map(
      (tick) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(py(tick))}" y2="${at(py(tick))}"/>` +
        `<text class="tick" x="${LEFT - 6}" y="${at(py(tick) + 4)}" text-anchor="end">${tick}${y.suffix ?? ''}</text>`,
    ),
    ...x.ticks.map(
      (tick) =>
        `<text class="tick" x="${at(px(tick))}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${tick}${x.suffix ?? ''}</text>`,
    ),
    `<text class="tick" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escaped(x.title)}</text>`,
    `<text class="tick" x="12" y="${HEIGHT / 2 - 10}" text-anchor="middle" transform="rotate(-90 12 ${HEIGHT / 2 - 10})">${escaped(y.title)}</text>`,
  ];
  const marks = (options.marks ?? []).map((mark) =>
    mark.axis === 'x'
      ? `<line class="mark" x1="${at(px(mark.at))}" x2="${at(px(mark.at))}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/><text class="tick" x="${at(px(mark.at) + 4)}" y="${TOP + 10}">${escaped(mark.text)}</text>`
      : `<line class="mark" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(py(mark.at))}" y2="${at(py(mark.at))}"/><text class="tick" x="${WIDTH - RIGHT}" y="${at(py(mark.at) - 4)}" text-anchor="end">${escaped(mark.text)}</text>`,
  );
  const drawn = series.map(({ name, colour, points, steps }) => {
    const dots = points
      .map(
        ([a, b]) =>
          `<circle class="dot s${colour}" cx="${at(px(a))}" cy="${at(py(b))}" r="4"><title>${escaped(name)}: ${round(a)}${x.suffix ?? ''}, ${round(b)}${y.suffix ?? ''}</title></circle>`,
      )
      .join('');
    if (options.dots) {
      const [a, b] = points[0] ?? [x.min, y.min];
      const nearEdge = px(a) > WIDTH - 140;
      return `${dots}<text class="label" x="${at(px(a) + (nearEdge ? -9 : 9))}" y="${at(py(b) + 4)}" text-anchor="${nearEdge ? 'end' : 'start'}">${escaped(name)}</text>`;
    }
    const path = points
      .map(([a, b], i) => {
        const before = points[i - 1];
        const stair = steps && before ? `L${at(px(a))} ${at(py(before[1]))}` : '';
        return `${i === 0 ? 'M' : `${stair}L`}${at(px(a))} ${at(py(b))}`;
      })
      .join('');
    return `<path class="line s${colour}" d="${path}"/>${steps ? '' : dots}`;
  });
  const legend = options.dots ? '' : legendOf(series);
  return `<figure><figcaption>${escaped(title)}</figcaption>${legend}<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">${[...grid, ...marks, ...drawn].join('')}</svg></figure>`;
}

function legendOf(series: readonly Series[]): string {
  const items = series.map(({ name, colour }) => `<span><i class="key s${colour}"></i>${escaped(name)}</span>`);
  return `<div class="legend">${items.join('')}</div>`;
}

export interface Bar {
  readonly name: string;
  readonly percent: number;
  readonly text: string;
}

/** Horizontal bars of shares, 0 to 100 %; a dotted line marks the target. */
export function barPlot(title: string, bars: readonly Bar[], target?: number): string {
  const row = 24;
  const left = 200;
  const height = bars.length * row + 24;
  const px = (percent: number) => left + (percent / 100) * (WIDTH - left - 80);
  const drawn = bars.map((bar, i) => {
    const y = i * row + 4;
    return (
      `<text class="label" x="${left - 8}" y="${y + 13}" text-anchor="end">${escaped(bar.name.length > 29 ? `${bar.name.slice(0, 28)}…` : bar.name)}<title>${escaped(bar.name)}</title></text>` +
      `<rect class="track" x="${left}" y="${y}" width="${at(px(100) - left)}" height="16" rx="3"/>` +
      `<rect class="bar s1" x="${left}" y="${y}" width="${at(Math.max(0, px(bar.percent) - left))}" height="16" rx="3"/>` +
      `<text class="tick" x="${at(px(100) + 6)}" y="${y + 13}">${escaped(bar.text)}</text>`
    );
  });
  const mark =
    target === undefined
      ? ''
      : `<line class="mark" x1="${at(px(target))}" x2="${at(px(target))}" y1="0" y2="${height - 20}"/><text class="tick" x="${at(px(target))}" y="${height - 6}" text-anchor="middle">${target} %</text>`;
  return `<figure><figcaption>${escaped(title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">${drawn.join('')}${mark}</svg></figure>`;
}

/** Share of values at or below each value, as a stair. */
export function cumulative(values: readonly number[]): [number, number][] {
  const sorted = [...values].sort((a, b) => a - b);
  const first: [number, number][] = sorted[0] === undefined ? [] : [[sorted[0], 0]];
  return [...first, ...sorted.map((value, i): [number, number] => [value, (100 * (i + 1)) / sorted.length])];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

import type { CallDetail } from '../api/types.ts';
import { latency } from '../format.ts';

const number = (value: unknown): value is number => typeof value === 'number';
const percent = (share: number) => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

/** How good the line was, as the media report at the end of the call says; nothing before. */
export function lineFacts({ events }: CallDetail): [string, string][] {
  const report = events.find(({ type }) => type === 'media-report')?.data;
  if (!report) return [];
  const quality = (report.quality ?? {}) as Record<string, unknown>;
  const side = (mos: unknown, loss: unknown) =>
    [number(mos) ? `MOS ${mos.toFixed(1)}` : '', number(loss) ? `${percent(loss)} lost` : '']
      .filter(Boolean)
      .join(', ');
  const facts: [string, string][] = [
    ['Codec', String(report.codec ?? '')],
    ['Caller as heard by us', side(quality.callerMos, quality.callerLoss)],
    ['Bot as heard by the caller', side(quality.botMos, quality.botLoss)],
    ['Network round trip', number(quality.roundTripMs) ? latency(quality.roundTripMs) : ''],
  ];
  return facts.filter(([, value]) => value !== '');
}

import type { CampaignSettings } from './campaign.ts';

/**
 * How long a campaign may go on calling from `now` on; undefined: not now. `closesAt`: when its named hours end;
 * undefined: they are closed.
 */
export function openUntil(
  { hours, latest }: Pick<CampaignSettings, 'hours' | 'latest'>,
  now: Date,
  closesAt: (hours: string, at: Date) => Date | undefined,
): Date | undefined {
  const end = new Date(latest);
  if (now >= end) return undefined;
  if (hours === undefined) return end;
  const close = closesAt(hours, now);
  return close && new Date(Math.min(close.getTime(), end.getTime()));
}

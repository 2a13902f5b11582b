import type { CampaignSettings } from './campaign.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;

/** How long a campaign may go on calling from `now` on, at most a day; undefined: not now. `isOpen`: of its named hours. */
export function openUntil(
  { hours, latest }: Pick<CampaignSettings, 'hours' | 'latest'>,
  now: Date,
  isOpen: (hours: string, at: Date) => boolean,
): Date | undefined {
  const end = new Date(latest);
  if (now >= end) return undefined;
  if (hours === undefined) return end;
  if (!isOpen(hours, now)) return undefined;
  let until = Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS;
  for (let i = 0; i < DAY_MINUTES && isOpen(hours, new Date(until)); i++) until += MINUTE_MS;
  return new Date(Math.min(until, end.getTime()));
}

import { useCallback } from 'react';
import { outbound } from '../../api/outbound.ts';
import type { Campaign } from '../../api/outbound-types.ts';
import { parseCsv } from '../../csv.ts';
import { dayOf, timeOfDay, words } from '../../format.ts';
import { usePolled } from '../../hooks/use-polled.ts';
import { followLink, placeHref } from '../../hooks/use-section.ts';
import { Listing } from './listing.tsx';

/** Rows shown; the file has all. */
const SHOWN = 200;

/** What became of each number. The file may be large: it is read when somebody asks. */
export function CampaignResults({ campaign: { campaignId, name } }: { campaign: Campaign }) {
  const load = useCallback((signal: AbortSignal) => outbound.results(campaignId, signal).then(parseCsv), [campaignId]);
  const { data, error, loading, refresh } = usePolled(load);
  const [header = [], ...rows] = data ?? [];
  const columns = header.flatMap((column, index) => (column === 'order_id' ? [] : [{ column, index }]));
  return (
    <Listing
      title={`Results of ${name}`}
      loading={loading}
      error={error}
      count={data && rows.length}
      empty="It has no numbers."
      tools={
        <button type="button" className="button" onClick={refresh}>
          Read again
        </button>
      }
    >
      <table>
        <thead>
          <tr>
            {columns.map(({ column }) => (
              <th key={column} scope="col">
                {words(column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, SHOWN).map((row) => (
            <tr key={row[0]}>
              {columns.map(({ column, index }) => (
                <td key={column}>
                  <Value column={column} text={row[index] ?? ''} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > SHOWN && <p className="empty">and {rows.length - SHOWN} more: see the CSV file.</p>}
    </Listing>
  );
}

function Value({ column, text }: { column: string; text: string }) {
  if (column === 'number') {
    return (
      <a href={placeHref({ section: 'orders', to: text })} onClick={followLink}>
        {text}
      </a>
    );
  }
  if (column === 'ended_at' && text) return `${timeOfDay(text)} ${dayOf(text)}`;
  return column === 'state' || column === 'outcome' ? words(text) : text;
}

import { resultsPath } from '../../api/outbound.ts';
import type { Campaign, OrderState } from '../../api/outbound-types.ts';
import { ConfirmButton } from './confirm-button.tsx';
import { CampaignChip } from './state-chips.tsx';

export interface CampaignTableProps {
  campaigns: Campaign[];
  /** Whose results are shown. */
  opened: string | undefined;
  onMove: (campaign: Campaign, step: 'pause' | 'resume' | 'cancel') => void;
  onOpen: (campaignId: string) => void;
}

export function CampaignTable({ campaigns, opened, onMove, onOpen }: CampaignTableProps) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">State</th>
          <th scope="col">How far</th>
          <th scope="col">Pace</th>
          <th scope="col">
            <span className="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {campaigns.map((campaign) => (
          <tr key={campaign.campaignId}>
            <th scope="row">
              {campaign.name}
              <span className="note">{campaign.bot}</span>
            </th>
            <td>
              <CampaignChip state={campaign.state} />
            </td>
            <td>
              <Progress campaign={campaign} />
            </td>
            <td>
              {campaign.callsPerMinute} a minute
              <span className="note">
                {campaign.concurrent} at once{campaign.hours && `, ${campaign.hours}`}
              </span>
            </td>
            <td className="actions">
              {campaign.state === 'RUNNING' && <Step campaign={campaign} step="pause" label="Pause" onMove={onMove} />}
              {campaign.state === 'PAUSED' && <Step campaign={campaign} step="resume" label="Resume" onMove={onMove} />}
              {(campaign.state === 'RUNNING' || campaign.state === 'PAUSED') && (
                <ConfirmButton
                  label="Cancel"
                  about={campaign.name}
                  question="For good?"
                  onConfirm={() => onMove(campaign, 'cancel')}
                />
              )}
              <button
                type="button"
                className="button"
                aria-label={`Results of ${campaign.name}`}
                aria-expanded={opened === campaign.campaignId}
                onClick={() => onOpen(campaign.campaignId)}
              >
                Results
              </button>
              <a
                className="button"
                aria-label={`CSV file of ${campaign.name}`}
                href={`/api/v1${resultsPath(campaign.campaignId)}`}
                download
              >
                CSV
              </a>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface StepProps extends Pick<CampaignTableProps, 'onMove'> {
  campaign: Campaign;
  step: 'pause' | 'resume';
  label: string;
}

function Step({ campaign, step, label, onMove }: StepProps) {
  return (
    <button
      type="button"
      className="button"
      aria-label={`${label} ${campaign.name}`}
      onClick={() => onMove(campaign, step)}
    >
      {label}
    </button>
  );
}

const OVER: readonly OrderState[] = ['DONE', 'FAILED', 'CANCELLED', 'EXPIRED'];

/** How many numbers are through, and how their orders stand. */
function Progress({ campaign: { name, numbers, waiting, orders, rejected, duplicates } }: { campaign: Campaign }) {
  const through = OVER.reduce((sum, state) => sum + (orders[state] ?? 0), 0);
  const counts = Object.entries(orders).map(([state, count]) => `${count} ${state.toLowerCase()}`);
  if (waiting > 0) counts.unshift(`${waiting} waiting`);
  if (rejected + duplicates > 0) counts.push(`${rejected + duplicates} lines left out`);
  return (
    <>
      <progress aria-label={`Numbers of ${name} that are through`} max={numbers} value={through} /> {through} of{' '}
      {numbers}
      <span className="note">{counts.join(', ')}</span>
    </>
  );
}

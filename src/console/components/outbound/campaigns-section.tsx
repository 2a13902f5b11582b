import { useState } from 'react';
import type { ApiError } from '../../api/client.ts';
import { outbound } from '../../api/outbound.ts';
import type { Bot, Campaign } from '../../api/outbound-types.ts';
import { usePolled } from '../../hooks/use-polled.ts';
import { CampaignForm } from './campaign-form.tsx';
import { CampaignResults } from './campaign-results.tsx';
import { CampaignTable } from './campaign-table.tsx';
import { Listing } from './listing.tsx';

const EVERY_MS = 3000;

export function CampaignsSection({ bots }: { bots: Bot[] | undefined }) {
  const { data, error, loading, refresh } = usePolled(outbound.campaigns, EVERY_MS);
  const [refusal, setRefusal] = useState('');
  const [opened, setOpened] = useState<string>();
  const open = data?.find(({ campaignId }) => campaignId === opened);

  const move = (campaign: Campaign, step: 'pause' | 'resume' | 'cancel') => {
    setRefusal('');
    outbound
      .moveCampaign(campaign.campaignId, step)
      .catch((error: ApiError) => setRefusal(`${campaign.name}: ${error.message}`))
      .finally(refresh);
  };

  return (
    <div className="with-form">
      <CampaignForm bots={bots} onCreated={refresh} />
      <Listing
        title="Campaigns"
        loading={loading}
        error={refusal || error}
        count={data?.length}
        empty="No campaign yet. One calls each number of a CSV file once, at a pace of its own."
      >
        <CampaignTable
          campaigns={data ?? []}
          opened={opened}
          onMove={move}
          onOpen={(id) => setOpened(id === opened ? undefined : id)}
        />
      </Listing>
      {open && <CampaignResults key={open.campaignId} campaign={open} />}
    </div>
  );
}

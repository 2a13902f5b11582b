-- Up Migration
-- Orders of a campaign that is paused are not dialled: whoever looks for what is due asks each for its campaign.
CREATE INDEX campaign_numbers_by_order ON campaign_numbers (tenant_id, order_id) WHERE order_id IS NOT NULL;

-- Down Migration
DROP INDEX campaign_numbers_by_order;

-- Up Migration
-- Numbers that are never called by us, and campaigns: many orders, made one by one as their pace allows (docs/outbound.md).
CREATE TABLE do_not_call (
  tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id', true) CHECK (tenant_id <> ''),
  number text NOT NULL CHECK (number <> ''),
  reason text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, number)
);

CREATE TABLE campaigns (
  campaign_id uuid PRIMARY KEY,
  tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id', true) CHECK (tenant_id <> ''),
  name text NOT NULL CHECK (name <> ''),
  -- Of each order, but for number and variables: bot, purpose, rules; and the campaign's own pace and hours.
  settings jsonb NOT NULL CONSTRAINT campaigns_settings CHECK (jsonb_typeof(settings) = 'object'),
  state text NOT NULL CONSTRAINT campaigns_state CHECK (state IN ('RUNNING', 'PAUSED', 'CANCELLED', 'DONE')),
  next_call_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (tenant_id, campaign_id)
);
CREATE INDEX campaigns_by_created ON campaigns (tenant_id, created_at DESC, campaign_id);
CREATE INDEX campaigns_running ON campaigns (tenant_id) WHERE state = 'RUNNING';

CREATE TABLE campaign_numbers (
  campaign_id uuid NOT NULL,
  tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id', true) CHECK (tenant_id <> ''),
  -- Of the file, from 1; the header is line 1.
  line integer NOT NULL,
  number text NOT NULL CHECK (number <> ''),
  variables jsonb NOT NULL DEFAULT '{}',
  -- The order that was made for it.
  order_id uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (campaign_id, line),
  CONSTRAINT campaign_numbers_once UNIQUE (tenant_id, campaign_id, number),
  FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns (tenant_id, campaign_id) ON DELETE CASCADE
);
CREATE INDEX campaign_numbers_waiting ON campaign_numbers (tenant_id, campaign_id, line) WHERE order_id IS NULL;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['do_not_call', 'campaigns', 'campaign_numbers']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = current_setting(''app.tenant_id'', true)) '
                   'WITH CHECK (tenant_id = current_setting(''app.tenant_id'', true))', name);
    EXECUTE format('CREATE TRIGGER set_updated_at BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION set_updated_at()', name);
  END LOOP;
END $$;

-- Down Migration
DROP TABLE campaign_numbers, campaigns, do_not_call;

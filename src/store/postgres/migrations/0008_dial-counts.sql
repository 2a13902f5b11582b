-- Up Migration
-- What is dialled by each gateway, of all connectors and over restarts: limits against toll fraud are asked of these
-- before anything is dialled (docs/outbound.md).

-- Calls per second, as a bucket of tokens. Its row is locked while a call of the gateway is counted, so that two
-- connectors never count the same last place.
CREATE TABLE dial_rates (
  tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id', true) CHECK (tenant_id <> ''),
  gateway text NOT NULL CHECK (gateway <> ''),
  tokens double precision NOT NULL,
  filled_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, gateway)
);

CREATE TABLE dial_counts (
  tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id', true) CHECK (tenant_id <> ''),
  gateway text NOT NULL,
  -- 'all', 'number:<number>' or 'prefix:<prefix>'.
  counted text NOT NULL,
  hour timestamptz NOT NULL,
  calls integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, gateway, counted, hour)
);
CREATE INDEX dial_counts_by_hour ON dial_counts (tenant_id, hour);

-- Calls that are dialled or up. Those of a run that has died count no more.
CREATE TABLE dials_under_way (
  dial_id uuid PRIMARY KEY,
  tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id', true) CHECK (tenant_id <> ''),
  gateway text NOT NULL,
  number text NOT NULL,
  instance_id text NOT NULL,
  run_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dials_under_way_by_gateway ON dials_under_way (tenant_id, gateway);

-- A campaign that is sent again under its key is the same campaign.
ALTER TABLE campaigns
  ADD COLUMN idempotency_key text CHECK (idempotency_key <> ''),
  ADD COLUMN fingerprint text,
  ADD CONSTRAINT campaigns_idempotency_key UNIQUE (tenant_id, idempotency_key),
  ADD CONSTRAINT campaigns_fingerprint CHECK ((idempotency_key IS NULL) = (fingerprint IS NULL));

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['dial_rates', 'dial_counts', 'dials_under_way']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = current_setting(''app.tenant_id'', true)) '
                   'WITH CHECK (tenant_id = current_setting(''app.tenant_id'', true))', name);
    EXECUTE format('CREATE TRIGGER set_updated_at BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION set_updated_at()', name);
  END LOOP;
END $$;

-- Down Migration
ALTER TABLE campaigns DROP COLUMN idempotency_key, DROP COLUMN fingerprint;
DROP TABLE dials_under_way, dial_counts, dial_rates;

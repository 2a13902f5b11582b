-- Up Migration
-- The SIP messages of a call, of all its legs, without secrets: JSON, gzipped by the connector.
CREATE TABLE sip_ladders (
  session_id uuid PRIMARY KEY,
  tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id', true) CHECK (tenant_id <> ''),
  messages integer NOT NULL CHECK (messages >= 0),
  dropped integer NOT NULL CHECK (dropped >= 0),
  packed bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (tenant_id, session_id) REFERENCES call_sessions (tenant_id, session_id) ON DELETE CASCADE
);
-- It is compressed already.
ALTER TABLE sip_ladders ALTER COLUMN packed SET STORAGE EXTERNAL;
ALTER TABLE sip_ladders ENABLE ROW LEVEL SECURITY;
ALTER TABLE sip_ladders FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON sip_ladders USING (tenant_id = current_setting('app.tenant_id', true))
  WITH CHECK (tenant_id = current_setting('app.tenant_id', true));
CREATE TRIGGER set_updated_at BEFORE UPDATE ON sip_ladders FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Down Migration
DROP TABLE sip_ladders;

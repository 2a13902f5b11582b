-- Up Migration
-- What must be kept, whatever the policy says; and what is no more of a call.
ALTER TABLE call_sessions
  ADD COLUMN legal_hold boolean NOT NULL DEFAULT false,
  ADD COLUMN legal_hold_reason text,
  ADD COLUMN contents_deleted_at timestamptz;
-- A recording that is being deleted: why, and what its file was. Its row goes when the file is gone.
ALTER TABLE recordings
  ADD COLUMN deleting jsonb CHECK (jsonb_typeof(deleting) = 'object');
ALTER TABLE recordings DROP CONSTRAINT recordings_format;
ALTER TABLE recordings ADD CONSTRAINT recordings_format CHECK (format IN ('wav', 'ogg'));
CREATE INDEX recordings_by_age ON recordings (tenant_id, created_at);
CREATE INDEX call_sessions_by_end ON call_sessions (tenant_id, call_end_time) WHERE contents_deleted_at IS NULL;

-- The proof: every row holds the hash of the one before.
CREATE TABLE deletions (
  tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id', true) CHECK (tenant_id <> ''),
  sequence bigint NOT NULL CHECK (sequence >= 1),
  deleted_at timestamptz NOT NULL,
  -- No foreign key: it outlives the call.
  session_id uuid NOT NULL,
  what text NOT NULL CHECK (what IN ('recording', 'contents')),
  policy text NOT NULL,
  details jsonb NOT NULL CHECK (jsonb_typeof(details) = 'object'),
  previous_hash text NOT NULL,
  hash text NOT NULL,
  PRIMARY KEY (tenant_id, sequence)
);
CREATE INDEX deletions_by_session ON deletions (tenant_id, session_id);
ALTER TABLE deletions ENABLE ROW LEVEL SECURITY;
ALTER TABLE deletions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON deletions USING (tenant_id = current_setting('app.tenant_id', true))
  WITH CHECK (tenant_id = current_setting('app.tenant_id', true));
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the deletion log is only ever added to' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON deletions FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON deletions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Down Migration
DROP TABLE deletions;
DROP FUNCTION refuse_change;
DROP INDEX call_sessions_by_end, recordings_by_age;
ALTER TABLE recordings DROP COLUMN deleting;
ALTER TABLE call_sessions DROP COLUMN legal_hold, DROP COLUMN legal_hold_reason, DROP COLUMN contents_deleted_at;

-- Up Migration
-- What signalling says of a call beyond who calls whom (diversions, history, assertions), and the trunk it came by.
ALTER TABLE call_sessions
  ADD COLUMN signalling jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(signalling) = 'object'),
  ADD COLUMN trunk text;

-- Down Migration
ALTER TABLE call_sessions DROP COLUMN signalling, DROP COLUMN trunk;

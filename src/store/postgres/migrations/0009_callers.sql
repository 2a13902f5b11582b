-- Up Migration
-- A person is found by their number, whoever called whom: of a call of ours it is the number that was called.
-- (The columns are made anew, since only PostgreSQL 17 can change what they are made from; their indexes go with them.)
ALTER TABLE call_sessions
  DROP COLUMN caller_last4,
  DROP COLUMN caller_last6,
  ADD COLUMN caller_last4 text GENERATED ALWAYS AS (right(regexp_replace(
    CASE direction WHEN 'OUTBOUND' THEN called_number ELSE caller_phone END, '[^0-9]', '', 'g'), 4)) STORED,
  ADD COLUMN caller_last6 text GENERATED ALWAYS AS (right(regexp_replace(
    CASE direction WHEN 'OUTBOUND' THEN called_number ELSE caller_phone END, '[^0-9]', '', 'g'), 6)) STORED;
CREATE INDEX call_sessions_by_last4 ON call_sessions (tenant_id, caller_last4, call_start_time DESC);
CREATE INDEX call_sessions_by_last6 ON call_sessions (tenant_id, caller_last6, call_start_time DESC);

-- The search is as it was, but for that clause.
DO $$
BEGIN
  EXECUTE replace(
    pg_get_functiondef('search_calls'::regproc),
    '(s.caller_phone ILIKE $5 OR s.caller_identity ILIKE $5)',
    'CASE s.direction WHEN ''''OUTBOUND'''' THEN s.called_number ILIKE $5 '
      'ELSE s.caller_phone ILIKE $5 OR s.caller_identity ILIKE $5 END');
END $$;

-- Down Migration
DO $$
BEGIN
  EXECUTE replace(
    pg_get_functiondef('search_calls'::regproc),
    'CASE s.direction WHEN ''''OUTBOUND'''' THEN s.called_number ILIKE $5 '
      'ELSE s.caller_phone ILIKE $5 OR s.caller_identity ILIKE $5 END',
    '(s.caller_phone ILIKE $5 OR s.caller_identity ILIKE $5)');
END $$;
ALTER TABLE call_sessions
  DROP COLUMN caller_last4,
  DROP COLUMN caller_last6,
  ADD COLUMN caller_last4 text GENERATED ALWAYS AS (right(regexp_replace(caller_phone, '[^0-9]', '', 'g'), 4)) STORED,
  ADD COLUMN caller_last6 text GENERATED ALWAYS AS (right(regexp_replace(caller_phone, '[^0-9]', '', 'g'), 6)) STORED;
CREATE INDEX call_sessions_by_last4 ON call_sessions (tenant_id, caller_last4, call_start_time DESC);
CREATE INDEX call_sessions_by_last6 ON call_sessions (tenant_id, caller_last6, call_start_time DESC);

-- Up Migration
-- docs/data.md explains the tables. Every row carries its tenant; row-level security is on, and forced, from here on.

CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END $$;

-- Instances of the connector and when they last wrote: whose sessions may be taken for lost after a crash.
CREATE TABLE connector_instances (
  tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id', true) CHECK (tenant_id <> ''),
  instance_id text NOT NULL,
  run_id uuid NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  heartbeat_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, instance_id)
);

CREATE TABLE call_sessions (
  session_id uuid PRIMARY KEY,
  tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id', true) CHECK (tenant_id <> ''),
  caller_phone text NOT NULL,
  caller_identity text NOT NULL,
  -- Equality columns: with row-level security LIKE cannot use an index (it is not leakproof), = can.
  caller_last4 text GENERATED ALWAYS AS (right(regexp_replace(caller_phone, '[^0-9]', '', 'g'), 4)) STORED,
  caller_last6 text GENERATED ALWAYS AS (right(regexp_replace(caller_phone, '[^0-9]', '', 'g'), 6)) STORED,
  called_number text NOT NULL,
  direction text NOT NULL CONSTRAINT call_sessions_direction CHECK (direction IN ('INBOUND', 'OUTBOUND')),
  call_start_time timestamptz NOT NULL,
  answer_time timestamptz,
  call_end_time timestamptz,
  sip_call_id text NOT NULL,
  correlation_id text NOT NULL,
  status text NOT NULL CONSTRAINT call_sessions_status
    CHECK (status IN ('ACTIVE', 'COMPLETED', 'FAILED', 'INTERRUPTED')),
  end_cause text,
  summary text,
  bot_profile text NOT NULL,
  bot_profile_version text NOT NULL,
  ai_provider_config jsonb NOT NULL DEFAULT '{}',
  instance_id text NOT NULL,
  run_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (tenant_id, session_id),
  CONSTRAINT call_sessions_outcome CHECK (
    CASE status
      WHEN 'ACTIVE' THEN end_cause IS NULL AND call_end_time IS NULL
      WHEN 'COMPLETED' THEN call_end_time IS NOT NULL AND end_cause IS NOT NULL AND end_cause IN
        ('caller-hangup', 'bot-goodbye', 'transferred', 'silence-farewell')
      WHEN 'INTERRUPTED' THEN call_end_time IS NOT NULL AND end_cause IS NOT NULL AND end_cause IN
        ('caller-cancelled', 'process-shutdown', 'process-crashed', 'media-timeout', 'network-lost')
      WHEN 'FAILED' THEN call_end_time IS NOT NULL AND end_cause IS NOT NULL AND end_cause IN
        ('refused-busy', 'refused-offer', 'no-ack', 'media-failed', 'internal-error', 'setup-failed')
    END)
);
CREATE INDEX call_sessions_by_start ON call_sessions (tenant_id, call_start_time DESC, session_id);
CREATE INDEX call_sessions_by_status ON call_sessions (tenant_id, status, call_start_time DESC, session_id);
CREATE INDEX call_sessions_by_last4 ON call_sessions (tenant_id, caller_last4, call_start_time DESC);
CREATE INDEX call_sessions_by_last6 ON call_sessions (tenant_id, caller_last6, call_start_time DESC);
CREATE INDEX call_sessions_by_sip_call_id ON call_sessions (tenant_id, sip_call_id);
-- Repair looks for open sessions only: few, always.
CREATE INDEX call_sessions_open ON call_sessions (tenant_id, instance_id) WHERE status = 'ACTIVE';

CREATE TABLE conversation_contexts (
  context_id uuid PRIMARY KEY,
  tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id', true) CHECK (tenant_id <> ''),
  session_id uuid NOT NULL,
  conversation_history jsonb NOT NULL DEFAULT '[]'
    CONSTRAINT conversation_contexts_history CHECK (jsonb_typeof(conversation_history) = 'array'),
  current_intent text,
  customer_data jsonb NOT NULL DEFAULT '{}',
  last_updated timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  -- With the tenant in the key a row can never hang on another tenant's session (foreign keys bypass row-level security).
  FOREIGN KEY (tenant_id, session_id) REFERENCES call_sessions (tenant_id, session_id) ON DELETE CASCADE
);
CREATE INDEX conversation_contexts_by_session ON conversation_contexts (tenant_id, session_id);
CREATE INDEX conversation_contexts_by_expiry ON conversation_contexts (tenant_id, expires_at);

CREATE TABLE banking_transactions (
  transaction_id uuid PRIMARY KEY,
  tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id', true) CHECK (tenant_id <> ''),
  session_id uuid NOT NULL,
  customer_id text,
  transaction_type text NOT NULL CHECK (transaction_type <> ''),
  authentication_status text NOT NULL CONSTRAINT banking_transactions_authentication
    CHECK (authentication_status IN ('PENDING', 'VERIFIED', 'FAILED')),
  outcome text NOT NULL DEFAULT 'PENDING' CONSTRAINT banking_transactions_outcome
    CHECK (outcome IN ('PENDING', 'POSTED', 'FAILED', 'UNKNOWN')),
  idempotency_key text NOT NULL CHECK (idempotency_key <> ''),
  query_parameters jsonb NOT NULL DEFAULT '{}',
  response_data jsonb,
  -- One attempt to begin it: lets a beginning whose commit was uncertain be withdrawn, and nothing else.
  attempt_id uuid NOT NULL,
  instance_id text NOT NULL,
  run_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  completed_at timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT banking_transactions_completion CHECK ((outcome = 'PENDING') = (completed_at IS NULL)),
  CONSTRAINT banking_transactions_idempotency_key UNIQUE (tenant_id, idempotency_key),
  -- Money is not deleted with its call.
  FOREIGN KEY (tenant_id, session_id) REFERENCES call_sessions (tenant_id, session_id)
);
CREATE INDEX banking_transactions_by_session ON banking_transactions (tenant_id, session_id, created_at);
CREATE INDEX banking_transactions_by_customer ON banking_transactions (tenant_id, customer_id, created_at DESC);
CREATE INDEX banking_transactions_by_created ON banking_transactions (tenant_id, created_at DESC);
CREATE INDEX banking_transactions_pending ON banking_transactions (tenant_id, created_at) WHERE outcome = 'PENDING';

CREATE TABLE utterances (
  utterance_id uuid PRIMARY KEY,
  tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id', true) CHECK (tenant_id <> ''),
  session_id uuid NOT NULL,
  sequence integer NOT NULL CONSTRAINT utterances_sequence CHECK (sequence >= 1),
  speaker text NOT NULL CONSTRAINT utterances_speaker CHECK (speaker IN ('caller', 'assistant', 'agent', 'system')),
  generated text NOT NULL,
  heard text NOT NULL,
  interrupted boolean NOT NULL DEFAULT false,
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  confidence real CONSTRAINT utterances_confidence CHECK (confidence BETWEEN 0 AND 1),
  source text NOT NULL,
  timings jsonb,
  -- 'simple': language-neutral; searches match word beginnings, so stems are not missed. Bounded: a tsvector is at most 1 MB.
  search tsvector GENERATED ALWAYS AS (to_tsvector('simple', left(generated, 50000))) STORED,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (tenant_id, session_id) REFERENCES call_sessions (tenant_id, session_id) ON DELETE CASCADE
);
CREATE INDEX utterances_by_session ON utterances (tenant_id, session_id, sequence);
-- No pending list: a search never has to read it, and rows come one at a time.
CREATE INDEX utterances_by_words ON utterances USING gin (search) WITH (fastupdate = off);

CREATE TABLE call_events (
  event_id uuid PRIMARY KEY,
  tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id', true) CHECK (tenant_id <> ''),
  session_id uuid NOT NULL,
  occurred_at timestamptz NOT NULL,
  event_type text NOT NULL CHECK (event_type <> ''),
  event_data jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (tenant_id, session_id) REFERENCES call_sessions (tenant_id, session_id) ON DELETE CASCADE
);
CREATE INDEX call_events_by_session ON call_events (tenant_id, session_id, occurred_at);

CREATE TABLE recordings (
  recording_id uuid PRIMARY KEY,
  tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id', true) CHECK (tenant_id <> ''),
  session_id uuid NOT NULL,
  -- Relative to DATA_DIR, and staying inside it.
  path text NOT NULL CONSTRAINT recordings_path CHECK (path <> '' AND path !~ '(^/|(^|/)\.\.(/|$))'),
  format text NOT NULL CONSTRAINT recordings_format CHECK (format IN ('wav')),
  channels smallint NOT NULL CONSTRAINT recordings_channels CHECK (channels IN (1, 2)),
  duration_ms bigint NOT NULL CHECK (duration_ms >= 0),
  bytes bigint NOT NULL CHECK (bytes >= 0),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (tenant_id, session_id) REFERENCES call_sessions (tenant_id, session_id) ON DELETE CASCADE
);
CREATE INDEX recordings_by_session ON recordings (tenant_id, session_id);

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['connector_instances', 'call_sessions', 'conversation_contexts',
                              'banking_transactions', 'utterances', 'call_events', 'recordings']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    -- Without a tenant the setting is NULL or '', which no row has: nothing is seen, nothing can be written.
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = current_setting(''app.tenant_id'', true)) '
                   'WITH CHECK (tenant_id = current_setting(''app.tenant_id'', true))', name);
    EXECUTE format('CREATE TRIGGER set_updated_at BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION set_updated_at()', name);
  END LOOP;
END $$;

-- Down Migration
DROP TABLE recordings, call_events, utterances, banking_transactions, conversation_contexts, call_sessions,
  connector_instances;
DROP FUNCTION set_updated_at();

-- Up Migration
-- Calls that go out: the ways they can end, who answered, and the orders they are made for (docs/outbound.md).
ALTER TABLE call_sessions
  ADD COLUMN order_id uuid,
  ADD COLUMN answered_by text CONSTRAINT call_sessions_answered_by CHECK (answered_by IN ('person', 'machine')),
  DROP CONSTRAINT call_sessions_outcome,
  ADD CONSTRAINT call_sessions_outcome CHECK (
    CASE status
      WHEN 'ACTIVE' THEN end_cause IS NULL AND call_end_time IS NULL
      WHEN 'COMPLETED' THEN call_end_time IS NOT NULL AND end_cause IS NOT NULL AND end_cause IN
        ('caller-hangup', 'callee-hangup', 'bot-goodbye', 'transferred', 'silence-farewell', 'wrong-party',
         'message-left', 'answering-machine')
      WHEN 'INTERRUPTED' THEN call_end_time IS NOT NULL AND end_cause IS NOT NULL AND end_cause IN
        ('caller-cancelled', 'process-shutdown', 'process-crashed', 'media-timeout', 'network-lost', 'cancelled')
      WHEN 'FAILED' THEN call_end_time IS NOT NULL AND end_cause IS NOT NULL AND end_cause IN
        ('refused-busy', 'refused-offer', 'no-ack', 'media-failed', 'internal-error', 'setup-failed', 'busy', 'declined',
         'no-answer', 'unknown-number', 'refused', 'media-refused', 'unreachable', 'not-allowed', 'no-gateway', 'limited')
    END);
CREATE INDEX call_sessions_by_order ON call_sessions (tenant_id, order_id) WHERE order_id IS NOT NULL;

-- Somebody is to be called. A row is claimed by one run of one connector before anything is dialled: the claim is
-- committed first, so that no order is ever dialled by two, nor dialled again because its outcome was lost.
CREATE TABLE call_orders (
  order_id uuid PRIMARY KEY,
  tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id', true) CHECK (tenant_id <> ''),
  idempotency_key text NOT NULL CHECK (idempotency_key <> ''),
  -- Of what was asked for under the key: a repeat is told from another order.
  fingerprint text NOT NULL,
  destination text NOT NULL CHECK (destination <> ''),
  bot text NOT NULL,
  -- Everything else that was asked for: purpose, variables, gateway, rules.
  request jsonb NOT NULL CONSTRAINT call_orders_request CHECK (jsonb_typeof(request) = 'object'),
  not_after timestamptz NOT NULL,
  state text NOT NULL CONSTRAINT call_orders_state
    CHECK (state IN ('QUEUED', 'DIALLING', 'TALKING', 'DONE', 'FAILED', 'CANCELLED', 'EXPIRED')),
  outcome text,
  -- One object for each time it was dialled; as many as the order's rule allows.
  attempts jsonb NOT NULL DEFAULT '[]' CONSTRAINT call_orders_attempts CHECK (jsonb_typeof(attempts) = 'array'),
  next_attempt_at timestamptz,
  cancel_requested boolean NOT NULL DEFAULT false,
  claim_id uuid,
  instance_id text,
  run_id uuid,
  ended_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (tenant_id, order_id),
  CONSTRAINT call_orders_idempotency_key UNIQUE (tenant_id, idempotency_key),
  CONSTRAINT call_orders_waiting CHECK ((state = 'QUEUED') = (next_attempt_at IS NOT NULL)),
  CONSTRAINT call_orders_claimed CHECK ((state IN ('DIALLING', 'TALKING')) =
    (claim_id IS NOT NULL AND instance_id IS NOT NULL AND run_id IS NOT NULL)),
  CONSTRAINT call_orders_ended CHECK ((state IN ('DONE', 'FAILED', 'CANCELLED', 'EXPIRED')) = (ended_at IS NOT NULL))
);
CREATE INDEX call_orders_by_created ON call_orders (tenant_id, created_at DESC, order_id);
CREATE INDEX call_orders_due ON call_orders (tenant_id, next_attempt_at) WHERE state = 'QUEUED';
CREATE INDEX call_orders_claimed_by ON call_orders (tenant_id, instance_id) WHERE state IN ('DIALLING', 'TALKING');

ALTER TABLE call_orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE call_orders FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON call_orders USING (tenant_id = current_setting('app.tenant_id', true))
  WITH CHECK (tenant_id = current_setting('app.tenant_id', true));
CREATE TRIGGER set_updated_at BEFORE UPDATE ON call_orders FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Down Migration
DROP TABLE call_orders;
ALTER TABLE call_sessions
  DROP COLUMN order_id,
  DROP COLUMN answered_by,
  DROP CONSTRAINT call_sessions_outcome,
  ADD CONSTRAINT call_sessions_outcome CHECK (
    CASE status
      WHEN 'ACTIVE' THEN end_cause IS NULL AND call_end_time IS NULL
      WHEN 'COMPLETED' THEN call_end_time IS NOT NULL AND end_cause IS NOT NULL AND end_cause IN
        ('caller-hangup', 'bot-goodbye', 'transferred', 'silence-farewell')
      WHEN 'INTERRUPTED' THEN call_end_time IS NOT NULL AND end_cause IS NOT NULL AND end_cause IN
        ('caller-cancelled', 'process-shutdown', 'process-crashed', 'media-timeout', 'network-lost')
      WHEN 'FAILED' THEN call_end_time IS NOT NULL AND end_cause IS NOT NULL AND end_cause IN
        ('refused-busy', 'refused-offer', 'no-ack', 'media-failed', 'internal-error', 'setup-failed')
    END) NOT VALID;
